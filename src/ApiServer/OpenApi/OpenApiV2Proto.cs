using System.Globalization;
using System.Text.Json.Nodes;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.OpenApi;

/// <summary>
/// The v2 document as an `openapi.v2.Document` message (gnostic's OpenAPIv2.proto): what kubectl before 1.27 asks for. The numbers are that file's field numbers.
/// </summary>
internal static class OpenApiV2Proto
{
    internal static byte[] Encode(JsonObject document)
    {
        var message = new ProtoMessage();
        message.Text(1, Metadata.Text(document, "swagger"));
        message.Message(2, Info((JsonObject)document["info"]!));
        message.Message(8, Named((JsonObject)document["paths"]!, 2, PathItem));
        message.Message(9, Named((JsonObject)document["definitions"]!, 1, Schema));
        return message.Written.ToArray();
    }

    private static ProtoMessage Info(JsonObject info)
    {
        var message = new ProtoMessage();
        message.Text(1, Metadata.Text(info, "title"));
        message.Text(2, Metadata.Text(info, "version"));
        return message;
    }

    // A map is a list of (name = 1, value = 2).
    private static ProtoMessage Named(JsonObject map, int field, Func<JsonObject, ProtoMessage> encode)
    {
        var message = new ProtoMessage();
        foreach (var (name, value) in map)
        {
            var entry = new ProtoMessage();
            entry.Text(1, name);
            entry.Message(2, encode((JsonObject)value!));
            message.Message(field, entry);
        }

        return message;
    }

    private static ProtoMessage PathItem(JsonObject item)
    {
        var message = new ProtoMessage();
        foreach (var (name, value) in item)
        {
            switch (name)
            {
                case "get": message.Message(2, Operation((JsonObject)value!)); break;
                case "put": message.Message(3, Operation((JsonObject)value!)); break;
                case "post": message.Message(4, Operation((JsonObject)value!)); break;
                case "delete": message.Message(5, Operation((JsonObject)value!)); break;
                case "patch": message.Message(8, Operation((JsonObject)value!)); break;
                case "parameters": Each(value, p => message.Message(9, Parameter(p))); break;
            }
        }

        return message;
    }

    private static ProtoMessage Operation(JsonObject operation)
    {
        var message = new ProtoMessage();
        foreach (var (name, value) in operation)
        {
            switch (name)
            {
                case "tags": Texts(message, 1, value); break;
                case "description": message.Text(3, value!.GetValue<string>()); break;
                case "operationId": message.Text(5, value!.GetValue<string>()); break;
                case "produces": Texts(message, 6, value); break;
                case "consumes": Texts(message, 7, value); break;
                case "parameters": Each(value, p => message.Message(8, Parameter(p))); break;
                case "responses": message.Message(9, Named((JsonObject)value!, 1, Response)); break;
                case "schemes": Texts(message, 10, value); break;
                default: Extension(message, 13, name, value); break;
            }
        }

        return message;
    }

    // ParametersItem.parameter = 1 > Parameter { body_parameter = 1, non_body_parameter = 2 } > NonBodyParameter { query = 3, path = 4 }.
    private static ProtoMessage Parameter(JsonObject parameter)
    {
        var inner = new ProtoMessage();
        var (name, place) = (Metadata.Text(parameter, "name"), Metadata.Text(parameter, "in"));
        var description = Metadata.Text(parameter, "description");
        if (place == "body")
        {
            inner.Text(2, name);
            inner.Text(3, place);
            inner.Flag(4, parameter["required"]!.GetValue<bool>());
            inner.Message(5, Schema((JsonObject)parameter["schema"]!));
        }
        else
        {
            var isPath = place == "path";
            if (isPath)
                inner.Flag(1, true);
            inner.Text(2, place);
            inner.Text(3, description);
            inner.Text(4, name);
            inner.Text(isPath ? 5 : 6, Metadata.Text(parameter, "type"));
            inner.Flag(isPath ? 19 : 20, true);
        }

        return Wrap(1, place switch { "body" => Wrap(1, inner), "path" => Wrap(2, Wrap(4, inner)), _ => Wrap(2, Wrap(3, inner)) });
    }

    // ResponseValue.response = 1; its schema is a SchemaItem, whose schema = 1.
    private static ProtoMessage Response(JsonObject response)
    {
        var message = new ProtoMessage();
        message.Text(1, Metadata.Text(response, "description"));
        if (response["schema"] is JsonObject schema)
            message.Message(2, Wrap(1, Schema(schema)));
        return Wrap(1, message);
    }

    private static ProtoMessage Schema(JsonObject schema)
    {
        var message = new ProtoMessage();
        foreach (var (name, value) in schema)
        {
            switch (name)
            {
                case "$ref": message.Text(1, value!.GetValue<string>()); break;
                case "format": message.Text(2, value!.GetValue<string>()); break;
                case "description": message.Text(4, value!.GetValue<string>()); break;
                case "default": message.Message(5, Any(value)); break;
                case "multipleOf": message.Real(6, Real(value)); break;
                case "maximum": message.Real(7, Real(value)); break;
                case "exclusiveMaximum": message.Flag(8, true); break;
                case "minimum": message.Real(9, Real(value)); break;
                case "exclusiveMinimum": message.Flag(10, true); break;
                case "maxLength": message.Integer(11, Integer(value)); break;
                case "minLength": message.Integer(12, Integer(value)); break;
                case "pattern": message.Text(13, value!.GetValue<string>()); break;
                case "maxItems": message.Integer(14, Integer(value)); break;
                case "minItems": message.Integer(15, Integer(value)); break;
                case "uniqueItems": message.Flag(16, true); break;
                case "maxProperties": message.Integer(17, Integer(value)); break;
                case "minProperties": message.Integer(18, Integer(value)); break;
                case "required": Texts(message, 19, value); break;
                case "enum": foreach (var item in (JsonArray)value!) message.Message(20, Any(item)); break;
                case "additionalProperties": message.Message(21, Wrap(1, Schema((JsonObject)value!))); break;
                case "type": message.Message(22, WrapText(1, value!.GetValue<string>())); break;
                case "items": message.Message(23, Wrap(1, Schema((JsonObject)value!))); break;
                case "properties": message.Message(25, Named((JsonObject)value!, 1, Schema)); break;
                default: Extension(message, 31, name, value); break;
            }
        }

        return message;
    }

    private static void Extension(ProtoMessage message, int field, string name, JsonNode? value)
    {
        var entry = new ProtoMessage();
        entry.Text(1, name);
        entry.Message(2, Any(value));
        message.Message(field, entry);
    }

    // Any.yaml = 2; JSON is YAML.
    private static ProtoMessage Any(JsonNode? value) => WrapText(2, (value?.ToJsonString() ?? "null") + "\n");

    private static ProtoMessage Wrap(int field, ProtoMessage inner)
    {
        var message = new ProtoMessage();
        message.Message(field, inner);
        return message;
    }

    private static ProtoMessage WrapText(int field, string text)
    {
        var message = new ProtoMessage();
        message.Text(field, text);
        return message;
    }

    private static void Texts(ProtoMessage message, int field, JsonNode? list)
    {
        foreach (var item in (JsonArray)list!)
            message.Text(field, item!.GetValue<string>());
    }

    private static void Each(JsonNode? list, Action<JsonObject> action)
    {
        foreach (var item in (JsonArray)list!)
            action((JsonObject)item!);
    }

    private static double Real(JsonNode? value) => double.Parse(value!.ToString(), NumberStyles.Float, CultureInfo.InvariantCulture);

    private static long Integer(JsonNode? value) => long.Parse(value!.ToString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
}
