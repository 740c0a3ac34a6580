using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Trees;

namespace Weft.ApiServer.Protobuf;

/// <summary>
/// Reads `application/vnd.kubernetes.protobuf` bodies of built-in kinds into the tree that the same object has as JSON: kubectl from 1.32 on and most
/// Go clients send what they create in this form. Answers are JSON, which they all accept.
/// </summary>
internal sealed class ProtobufObjects
{
    internal const string MediaType = "application/vnd.kubernetes.protobuf";

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    // Go writes the zero of a plain field and leaves out only a nil pointer. Of these members zero means absent, as `omitempty` has it in JSON;
    // of all others (replicas, runAsUser, gracePeriodSeconds, ...) zero is a value.
    private static readonly HashSet<string> ZeroIsAbsent =
    [
        "minReadySeconds", "hostPort", "initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold", "nodePort",
        "healthCheckNodePort", "count", "deprecatedCount", "generation", "observedGeneration", "partition", "signal", "fullyLabeledReplicas", "readyReplicas",
        "availableReplicas", "updatedReplicas", "unavailableReplicas", "currentReplicas", "updatedNumberScheduled", "numberAvailable", "numberUnavailable",
        "active", "succeeded", "failed", "number",
        "paused", "readOnly", "stdin", "stdinOnce", "tty", "hostNetwork", "hostPID", "hostIPC", "unschedulable", "publishNotReadyAddresses", "globalDefault",
        "sslEnabled", "chapAuthDiscovery", "chapAuthSession", "denied", "incomplete",
    ];

    private static ReadOnlySpan<byte> Magic => "k8s\0"u8;

    private readonly Lazy<FieldTable> _table = new(FieldTable.Load);

    /// <returns>Null when the kind has no protobuf form here.</returns>
    /// <exception cref="ProtobufException">Not such a body, or beyond the limits.</exception>
    internal JsonObject? Read(ReadOnlySpan<byte> body)
    {
        if (!body.StartsWith(Magic))
            throw new ProtobufException("the body does not begin with the protobuf prefix of Kubernetes");
        ReadOnlySpan<byte> raw = default;
        var (apiVersion, kind) = ("", "");
        // runtime.Unknown: 1 typeMeta, 2 raw, 3 contentEncoding.
        var envelope = new WireReader(body[Magic.Length..]);
        while (envelope.Next())
        {
            if (envelope is { Field: 1, HasBytes: true })
                (apiVersion, kind) = TypeMeta(envelope.Bytes);
            else if (envelope is { Field: 2, HasBytes: true })
                raw = envelope.Bytes;
            else if (envelope is { Field: 3, HasBytes: true } && envelope.Bytes.Length > 0)
                throw new ProtobufException("an encoded protobuf body is not supported");
        }

        if (MessageOf(apiVersion, kind) is not { } message || _table.Value.Find(message) is null)
            return null;
        var tree = new Decoder(_table.Value).Message(raw, message);
        tree.Insert(0, "apiVersion", apiVersion);
        tree.Insert(0, "kind", kind);
        return tree;
    }

    private static (string, string) TypeMeta(ReadOnlySpan<byte> bytes)
    {
        var (apiVersion, kind) = ("", "");
        var reader = new WireReader(bytes);
        while (reader.Next())
        {
            if (reader is { Field: 1, HasBytes: true })
                apiVersion = Text(reader.Bytes);
            else if (reader is { Field: 2, HasBytes: true })
                kind = Text(reader.Bytes);
        }

        return (apiVersion, kind);
    }

    // The packages are named after the first label of the group. DeleteOptions are registered in every group.
    private static string? MessageOf(string apiVersion, string kind)
    {
        if (GroupVersionKind.ParseApiVersion(apiVersion) is not { } parsed)
            return null;
        // The one group of which a second version is served.
        if (parsed is { Group: "autoscaling", Version: "v2" })
            return "autoscaling.v2." + kind;
        if (parsed.Version != "v1")
            return null;
        if (kind == "DeleteOptions")
            return "meta.DeleteOptions";
        return (parsed.Group.Length == 0 ? "core" : parsed.Group.Split('.')[0]) + "." + kind;
    }

    private static string Text(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return StrictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw new ProtobufException("a string is not UTF-8");
        }
    }

    private sealed class Decoder(FieldTable table)
    {
        private int _depth;
        private int _nodes;

        internal JsonObject Message(ReadOnlySpan<byte> bytes, string message)
        {
            var into = new JsonObject();
            Fill(into, bytes, message);
            return into;
        }

        private void Fill(JsonObject into, ReadOnlySpan<byte> bytes, string message)
        {
            if (++_depth > TreeLimits.Default.MaxDepth)
                throw new ProtobufException("messages are nested too deep");
            var fields = table.Find(message) ?? throw new ProtobufException($"message {message} is not known");
            var reader = new WireReader(bytes);
            while (reader.Next())
            {
                // A field of a newer API is dropped, as its JSON form would be pruned.
                if (fields.TryGetValue(reader.Field, out var field))
                    Add(into, field, ref reader);
            }

            _depth--;
        }

        private void Add(JsonObject into, ProtoField field, ref WireReader reader)
        {
            if (++_nodes > TreeLimits.Default.MaxNodes)
                throw new ProtobufException($"more than {TreeLimits.Default.MaxNodes} values in one body");
            if (field.IsInline)
            {
                Fill(into, reader.Bytes, field.Type);
                return;
            }

            switch (field.Shape)
            {
                case FieldShape.List:
                    if (into[field.Name] is not JsonArray list)
                        into[field.Name] = list = [];
                    list.Add(Value(field, ref reader));
                    break;
                case FieldShape.Map:
                    if (into[field.Name] is not JsonObject map)
                        into[field.Name] = map = [];
                    var (key, value) = Entry(reader.Bytes, field);
                    map[key] = value;
                    break;
                default:
                    var one = Value(field, ref reader);
                    if (!IsAbsent(field, one))
                        into[field.Name] = one;
                    break;
            }
        }

        private static bool IsAbsent(ProtoField field, JsonNode? value) => field.Type switch
        {
            "string" => value!.GetValue<string>().Length == 0,
            "int" => ZeroIsAbsent.Contains(field.Name) && value!.GetValue<long>() == 0,
            "bool" => ZeroIsAbsent.Contains(field.Name) && !value!.GetValue<bool>(),
            _ => value is null,
        };

        private (string Key, JsonNode? Value) Entry(ReadOnlySpan<byte> bytes, ProtoField field)
        {
            var key = "";
            JsonNode? value = field.Type is "string" or "bytes" ? "" : null;
            var reader = new WireReader(bytes);
            while (reader.Next())
            {
                if (reader.Field == 1)
                    key = Text(reader.Bytes);
                else if (reader.Field == 2)
                    value = Value(field, ref reader);
            }

            return (key, value);
        }

        private JsonNode? Value(ProtoField field, ref WireReader reader) => field.Type switch
        {
            "string" or "text" => JsonValue.Create(Text(reader.Bytes)),
            "bool" => JsonValue.Create(reader.Number != 0),
            "int" => JsonValue.Create((long)reader.Number),
            "double" => JsonValue.Create(BitConverter.UInt64BitsToDouble(reader.Number)),
            "bytes" => JsonValue.Create(Convert.ToBase64String(reader.Bytes)),
            "time" => Time(reader.Bytes, "yyyy-MM-dd'T'HH:mm:ss'Z'"),
            "microtime" => Time(reader.Bytes, "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'"),
            "quantity" => Quantity(reader.Bytes),
            "intstr" => IntOrString(reader.Bytes),
            "strings" => Strings(reader.Bytes),
            "json" => Json(reader.Bytes),
            var message => Message(reader.Bytes, message),
        };

        // seconds = 1, nanos = 2; an empty message is the zero time, which JSON writes as null.
        private static JsonValue? Time(ReadOnlySpan<byte> bytes, string format)
        {
            if (bytes.IsEmpty)
                return null;
            long seconds = 0, nanoseconds = 0;
            var reader = new WireReader(bytes);
            while (reader.Next())
            {
                if (reader.Field == 1)
                    seconds = (long)reader.Number;
                else if (reader.Field == 2)
                    nanoseconds = (int)reader.Number;
            }

            // Years 0001 to 9999.
            if (seconds is < -62135596800 or > 253402300799 || nanoseconds is < 0 or > 999_999_999)
                throw new ProtobufException("a time is out of range");
            var time = DateTimeOffset.FromUnixTimeSeconds(seconds).AddTicks(nanoseconds / 100);
            return JsonValue.Create(time.UtcDateTime.ToString(format, CultureInfo.InvariantCulture));
        }

        private static JsonValue Quantity(ReadOnlySpan<byte> bytes)
        {
            var text = "0";
            var reader = new WireReader(bytes);
            while (reader.Next())
            {
                if (reader.Field == 1)
                    text = Text(reader.Bytes);
            }

            return JsonValue.Create(text);
        }

        // type = 1 (0 a number, 1 a string), intVal = 2, strVal = 3.
        private static JsonValue IntOrString(ReadOnlySpan<byte> bytes)
        {
            var (isText, number, text) = (false, 0L, "");
            var reader = new WireReader(bytes);
            while (reader.Next())
            {
                if (reader.Field == 1)
                    isText = reader.Number == 1;
                else if (reader.Field == 2)
                    number = (int)reader.Number;
                else if (reader.Field == 3)
                    text = Text(reader.Bytes);
            }

            return isText ? JsonValue.Create(text) : JsonValue.Create(number);
        }

        private static JsonArray Strings(ReadOnlySpan<byte> bytes)
        {
            var list = new JsonArray();
            var reader = new WireReader(bytes);
            while (reader.Next())
            {
                if (reader.Field == 1)
                    list.Add(Text(reader.Bytes));
            }

            return list;
        }

        // Raw = 1: JSON inside.
        private static JsonNode? Json(ReadOnlySpan<byte> bytes)
        {
            var reader = new WireReader(bytes);
            while (reader.Next())
            {
                if (reader is not { Field: 1, Bytes.IsEmpty: false })
                    continue;
                try
                {
                    return JsonTree.Parse(reader.Bytes).Root;
                }
                catch (TreeException e)
                {
                    throw new ProtobufException(e.Message);
                }
            }

            return null;
        }
    }
}
