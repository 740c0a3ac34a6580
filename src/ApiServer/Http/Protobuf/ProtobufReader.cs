using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Weft.Api.Trees;

namespace Weft.ApiServer.Http.Protobuf;

/// <summary>
/// Reads the protobuf form that client libraries prefer for built-in kinds into the tree that their JSON form would give. The server answers JSON, which such
/// clients accept as well. The envelope is Kubernetes' own: `k8s` and a zero byte, then a runtime.Unknown with the kind and the message.
/// </summary>
internal sealed class ProtobufReader(MessageTable table)
{
    public const string MediaType = "application/vnd.kubernetes.protobuf";

    // Every nested message costs a stack frame; the deepest of the API (a pod template's affinity terms) is below 20.
    private const int MaxDepth = 64;

    private static ReadOnlySpan<byte> Magic => [(byte)'k', (byte)'8', (byte)'s', 0];

    /// <exception cref="InvalidProtocolBufferException">Not a message.</exception>
    /// <exception cref="TreeException">Embedded JSON that is none.</exception>
    public JsonObject Read(ReadOnlyMemory<byte> body)
    {
        if (!body.Span.StartsWith(Magic))
            throw Statuses.BadRequest("a protobuf body must begin with the bytes 6b 38 73 00");
        var (apiVersion, kind, raw) = ReadEnvelope(body[Magic.Length..]);
        var message = table.MessageOf(apiVersion, kind) ?? throw Statuses.UnsupportedMediaType(OutputFormat.JsonType, OutputFormat.YamlType);
        var tree = new JsonObject { ["apiVersion"] = apiVersion, ["kind"] = kind };
        ReadMessage(raw, message, tree, 0);
        return tree;
    }

    private static (string ApiVersion, string Kind, ByteString Raw) ReadEnvelope(ReadOnlyMemory<byte> envelope)
    {
        var (apiVersion, kind, raw) = ("", "", ByteString.Empty);
        var input = new CodedInputStream(envelope.ToArray());
        for (var tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            switch (WireFormat.GetTagFieldNumber(tag))
            {
                case 1:
                    var meta = new CodedInputStream(input.ReadBytes().ToByteArray());
                    for (var inner = meta.ReadTag(); inner != 0; inner = meta.ReadTag())
                    {
                        switch (WireFormat.GetTagFieldNumber(inner))
                        {
                            case 1: apiVersion = meta.ReadString(); break;
                            case 2: kind = meta.ReadString(); break;
                            default: meta.SkipLastField(); break;
                        }
                    }
                    break;
                case 2: raw = input.ReadBytes(); break;
                default: input.SkipLastField(); break;
            }
        }
        return (apiVersion, kind, raw);
    }

    private void ReadMessage(ByteString bytes, string message, JsonObject into, int depth)
    {
        if (depth > MaxDepth)
            throw Statuses.BadRequest($"the request body is nested deeper than {MaxDepth} messages");
        var fields = table.Fields(message);
        var input = new CodedInputStream(bytes.ToByteArray());
        for (var tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            // A number that the table does not have is a field of a newer API: what the server does not know, it does not keep.
            if (fields.TryGetValue(WireFormat.GetTagFieldNumber(tag), out var field))
                ReadField(input, field, into, depth);
            else
                input.SkipLastField();
        }
    }

    private void ReadField(CodedInputStream input, MessageField field, JsonObject into, int depth)
    {
        if (field.Inline)
        {
            ReadMessage(input.ReadBytes(), field.Message, into, depth + 1);
        }
        else if (field.Map)
        {
            if (into[field.Name] is not JsonObject map)
                into[field.Name] = map = [];
            ReadEntry(input.ReadBytes(), field, map, depth);
        }
        else if (field.Repeated)
        {
            if (into[field.Name] is not JsonArray list)
                into[field.Name] = list = [];
            list.Add(Value(input, field, depth));
        }
        else if (Value(input, field, depth) is { } value && (field.KeepsZero || !IsZero(value, field.Form)))
        {
            into[field.Name] = value;
        }
    }

    private void ReadEntry(ByteString bytes, MessageField field, JsonObject map, int depth)
    {
        var key = "";
        JsonNode? value = null;
        var entry = new CodedInputStream(bytes.ToByteArray());
        for (var tag = entry.ReadTag(); tag != 0; tag = entry.ReadTag())
        {
            switch (WireFormat.GetTagFieldNumber(tag))
            {
                case 1: key = entry.ReadString(); break;
                case 2: value = Value(entry, field, depth); break;
                default: entry.SkipLastField(); break;
            }
        }
        map[key] = value ?? (field.Form is FieldForm.Text or FieldForm.Bytes ? "" : null);
    }

    private JsonNode? Value(CodedInputStream input, MessageField field, int depth)
    {
        switch (field.Form)
        {
            case FieldForm.Text: return input.ReadString();
            case FieldForm.Bytes: return input.ReadBytes().ToBase64();
            case FieldForm.Whole: return input.ReadInt64();
            case FieldForm.Flag: return input.ReadBool();
            case FieldForm.Quantity: return Member(input.ReadBytes(), 1).Text is { Length: > 0 } quantity ? quantity : null;
            case FieldForm.IntOrString: return IntOrString(input.ReadBytes());
            case FieldForm.Time: return Time(input.ReadBytes(), "yyyy-MM-dd'T'HH:mm:ss'Z'");
            case FieldForm.MicroTime: return Time(input.ReadBytes(), "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'");
            case FieldForm.Json: return Member(input.ReadBytes(), 1).Raw is { Length: > 0 } json ? JsonTree.Parse(json.Span).Root : null;
            case FieldForm.Texts: return Texts(input.ReadBytes());
            default:
                var tree = new JsonObject();
                ReadMessage(input.ReadBytes(), field.Message, tree, depth + 1);
                return tree;
        }
    }

    private static (string Text, ByteString Raw) Member(ByteString bytes, int number)
    {
        var raw = ByteString.Empty;
        var input = new CodedInputStream(bytes.ToByteArray());
        for (var tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            if (WireFormat.GetTagFieldNumber(tag) == number)
                raw = input.ReadBytes();
            else
                input.SkipLastField();
        }
        return (Encoding.UTF8.GetString(raw.Span), raw);
    }

    private static JsonValue IntOrString(ByteString bytes)
    {
        var (isText, number, text) = (false, 0L, "");
        var input = new CodedInputStream(bytes.ToByteArray());
        for (var tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            switch (WireFormat.GetTagFieldNumber(tag))
            {
                case 1: isText = input.ReadInt64() == 1; break;
                case 2: number = input.ReadInt64(); break;
                case 3: text = input.ReadString(); break;
                default: input.SkipLastField(); break;
            }
        }
        return isText ? JsonValue.Create(text) : JsonValue.Create(number);
    }

    // An empty message is the zero time, whose JSON form is null.
    private static JsonValue? Time(ByteString bytes, string format)
    {
        if (bytes.Length == 0)
            return null;
        var (seconds, nanos) = (0L, 0);
        var input = new CodedInputStream(bytes.ToByteArray());
        for (var tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            switch (WireFormat.GetTagFieldNumber(tag))
            {
                case 1: seconds = input.ReadInt64(); break;
                case 2: nanos = input.ReadInt32(); break;
                default: input.SkipLastField(); break;
            }
        }
        if (seconds < DateTimeOffset.MinValue.ToUnixTimeSeconds() || seconds > DateTimeOffset.MaxValue.ToUnixTimeSeconds())
            throw Statuses.BadRequest("a time in the protobuf body is out of range");
        return JsonValue.Create(DateTimeOffset.FromUnixTimeSeconds(seconds).AddTicks(Math.Clamp(nanos, 0, 999_999_999) / 100).UtcDateTime.ToString(format, CultureInfo.InvariantCulture));
    }

    private static JsonArray Texts(ByteString bytes)
    {
        var list = new JsonArray();
        var input = new CodedInputStream(bytes.ToByteArray());
        for (var tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            if (WireFormat.GetTagFieldNumber(tag) == 1)
                list.Add(input.ReadString());
            else
                input.SkipLastField();
        }
        return list;
    }

    private static bool IsZero(JsonNode value, FieldForm form) => form switch
    {
        FieldForm.Text or FieldForm.Bytes => value.AsText() is "",
        FieldForm.Whole => value.AsInteger() == 0,
        FieldForm.Flag => value.AsBoolean() == false,
        _ => false,
    };
}
