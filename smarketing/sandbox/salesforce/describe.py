"""The describe calls: what there is, which fields it has, what may be written to them."""

from __future__ import annotations

from smarketing.sandbox.salesforce.render import Json
from smarketing.sandbox.salesforce.schema import NUMBERS, Field, Schema, SObject

_SOAP = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "boolean": "xsd:boolean",
    "int": "xsd:int",
    "double": "xsd:double",
    "currency": "xsd:double",
    "percent": "xsd:double",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "address": "urn:address",
    "anyType": "xsd:anyType",
}


def global_describe(schema: Schema, version: str) -> Json:
    """Every object in brief."""
    shown = [_brief(each, version) for each in schema.objects.values() if not each.tooling]
    return {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": sorted(shown, key=lambda each: str(each["name"]))}


def basic(sobject: SObject, version: str) -> Json:
    return {"objectDescribe": _brief(sobject, version), "recentItems": []}


def describe(sobject: SObject, schema: Schema, version: str) -> Json:
    """One object in full."""
    return {
        **_brief(sobject, version),
        "actionOverrides": [],
        "childRelationships": [
            {
                "cascadeDelete": reference.cascade,
                "childSObject": child.name,
                "deprecatedAndHidden": False,
                "field": reference.name,
                "junctionIdListNames": [],
                "junctionReferenceTo": [],
                "relationshipName": reference.children,
                "restrictedDelete": False,
            }
            for child, reference in schema.children(sobject.name)
        ],
        "compactLayoutable": True,
        "fields": [_field(each, sobject) for each in sobject.visible()],
        "listviewable": None,
        "lookupLayoutable": None,
        "namedLayoutInfos": [],
        "networkScopeFieldName": None,
        "recordTypeInfos": [
            {
                "active": True,
                "available": True,
                "defaultRecordTypeMapping": True,
                "developerName": "Master",
                "master": True,
                "name": "Master",
                "recordTypeId": "012000000000000AAA",
                "urls": {},
            }
        ],
        "searchLayoutable": True,
        "supportedScopes": [{"label": f"All {sobject.plural.lower()}", "name": "everything"}],
    }


def _brief(sobject: SObject, version: str) -> Json:
    base = f"/services/data/v{version}/sobjects/{sobject.name}"
    merges = "MasterRecordId" in sobject.fields
    return {
        "activateable": False,
        "createable": sobject.createable,
        "custom": False,
        "customSetting": False,
        "deletable": sobject.deletable,
        "deprecatedAndHidden": False,
        "feedEnabled": merges,
        "hasSubtypes": False,
        "isSubtype": False,
        "keyPrefix": sobject.prefix,
        "label": sobject.label,
        "labelPlural": sobject.plural,
        "layoutable": True,
        "mergeable": merges,
        "mruEnabled": merges,
        "name": sobject.name,
        "queryable": True,
        "replicateable": "SystemModstamp" in sobject.fields,
        "retrieveable": True,
        "searchable": merges,
        "triggerable": True,
        "undeletable": sobject.deletable,
        "updateable": sobject.updateable,
        "urls": {"describe": f"{base}/describe", "rowTemplate": f"{base}/{{ID}}", "sobject": base},
    }


def _field(each: Field, sobject: SObject) -> Json:
    numeric = each.type in NUMBERS
    text = each.type not in {"boolean", "date", "datetime", "address", "anyType"} and not numeric
    compound = _compound(each, sobject)
    return {
        "aggregatable": each.filterable and each.type != "boolean",
        "aiPredictionField": False,
        "autoNumber": False,
        "byteLength": each.length * 3 if text and each.type not in ("id", "reference") else each.length if text else 0,
        "calculated": False,
        "calculatedFormula": None,
        "cascadeDelete": each.cascade,
        "caseSensitive": False,
        "compoundFieldName": compound,
        "controllerName": None,
        "createable": each.createable and sobject.createable,
        "custom": each.custom,
        "defaultValue": each.default,
        "defaultValueFormula": None,
        "defaultedOnCreate": each.default is not None
        or each.name in ("Id", "OwnerId", "CreatedDate", "SystemModstamp"),
        "dependentPicklist": False,
        "deprecatedAndHidden": False,
        "digits": each.length if each.type == "int" else 0,
        "displayLocationInDecimal": False,
        "encrypted": False,
        "externalId": each.external,
        "extraTypeInfo": "plaintextarea" if each.type == "textarea" else None,
        "filterable": each.filterable,
        "filteredLookupInfo": None,
        "formulaTreatNullNumberAsZero": False,
        "groupable": each.filterable and each.type not in ("datetime", "currency", "double", "percent"),
        "highScaleNumber": False,
        "htmlFormatted": False,
        "idLookup": each.lookup,
        "inlineHelpText": None,
        "label": each.label,
        "length": each.length if text else 0,
        "mask": None,
        "maskType": None,
        "name": each.name,
        "nameField": each.name == "Name",
        "namePointing": each.polymorphic,
        "nillable": not each.required and each.type not in ("id", "boolean") and each.name != "OwnerId",
        "permissionable": not each.required and not each.computed,
        "picklistValues": [
            {"active": True, "defaultValue": option == each.default, "label": option, "validFor": None, "value": option}
            for option in each.options
        ],
        "polymorphicForeignKey": each.polymorphic,
        "precision": each.length if numeric and each.type != "int" else 0,
        "queryByDistance": False,
        "referenceTargetField": None,
        "referenceTo": list(each.targets),
        "relationshipName": each.relationship,
        "relationshipOrder": None,
        "restrictedDelete": False,
        "restrictedPicklist": each.restricted,
        "scale": each.scale,
        "searchPrefilterable": each.type == "reference",
        "soapType": _SOAP.get(each.type, "xsd:string"),
        "sortable": each.filterable and each.type not in ("multipicklist", "textarea"),
        "type": each.type,
        "unique": each.unique,
        "updateable": each.updateable and sobject.updateable,
        "writeRequiresMasterRead": False,
    }


def _compound(each: Field, sobject: SObject) -> str | None:
    """The name or address that this field is a part of."""
    if each.name in ("FirstName", "LastName", "Salutation") and "FirstName" in sobject.fields:
        return "Name"
    for part in ("Street", "City", "State", "PostalCode", "Country", "StateCode", "CountryCode"):
        whole = each.name.removesuffix(part) + "Address"
        if each.name.endswith(part) and whole in sobject.fields:
            return whole
    return None
