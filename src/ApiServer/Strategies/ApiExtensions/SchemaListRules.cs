using Weft.Api;

namespace Weft.ApiServer.Strategies.ApiExtensions;

/// <summary>What `x-kubernetes-list-type` demands: server-side apply finds items by their value or keys, so these must be scalars that are always there.</summary>
internal static class SchemaListRules
{
    public static void Check(Field schema, List<FieldError> errors)
    {
        var (kind, keys) = (schema["x-kubernetes-list-type"], schema["x-kubernetes-list-map-keys"]);
        if (!kind.Exists)
        {
            if (keys.Count > 0)
                errors.Add(kind.Required("must be map if x-kubernetes-list-map-keys is non-empty"));
            return;
        }
        if (kind.Text is not ("atomic" or "set" or "map"))
            errors.Add(kind.Unsupported(["atomic", "map", "set"]));
        if (schema["type"].Text != "array")
            errors.Add(schema["type"].Exists ? schema["type"].Invalid("must be array if x-kubernetes-list-type is specified") : schema["type"].Required("must be array if x-kubernetes-list-type is specified"));
        if (kind.Text != "map" && keys.Count > 0)
            errors.Add(keys.Forbidden("must be empty if x-kubernetes-list-type is not map"));
        if (kind.Text is "map" or "set" && schema["items"]["nullable"].IsTrue)
            errors.Add(schema["items"]["nullable"].Forbidden($"cannot be nullable when x-kubernetes-list-type is {kind.Text}"));
        if (kind.Text == "set")
            Set(schema["items"], errors);
        else if (kind.Text == "map")
            Map(schema["items"], keys, errors);
    }

    // Items are compared as a whole, so apply must never look into them.
    private static void Set(Field items, List<FieldError> errors)
    {
        if (items["default"].Exists)
            errors.Add(items["default"].Forbidden("must not be set in the items of a list of type set"));
        if (items["type"].Text == "object" && items["x-kubernetes-map-type"].Text != "atomic")
            errors.Add(items["x-kubernetes-map-type"].Invalid("must be atomic as item of a list with x-kubernetes-list-type=set"));
        if (items["type"].Text == "array" && items["x-kubernetes-list-type"] is var inner && (inner.Exists ? inner.Text != "atomic" : true))
            errors.Add(inner.Invalid("must be atomic as item of a list with x-kubernetes-list-type=set"));
    }

    private static void Map(Field items, Field keys, List<FieldError> errors)
    {
        if (keys.Count == 0)
            errors.Add(keys.Required("must not be empty if x-kubernetes-list-type is map"));
        if (items["type"].Text != "object")
            errors.Add(items["type"].Invalid("must be object if parent array's x-kubernetes-list-type is map"));
        var seen = new HashSet<string>();
        foreach (var key in keys.Items)
        {
            if (!seen.Add(key.TextOrEmpty))
                errors.Add(key.Duplicate());
            var property = items["properties"].At(key.TextOrEmpty);
            if (!property.Exists)
            {
                errors.Add(key.Invalid("entries must all be names of item properties"));
                continue;
            }
            if (property["type"].Text is "array" or "object")
                errors.Add(property["type"].Invalid("must be a scalar type if parent array's x-kubernetes-list-type is map"));
            if (property["nullable"].IsTrue)
                errors.Add(property["nullable"].Forbidden("this property is in x-kubernetes-list-map-keys, so it cannot be nullable"));
            if (!property["default"].Exists && !items["required"].Items.Any(name => name.Text == key.Text))
                errors.Add(property["default"].Required("this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"));
        }
    }
}
