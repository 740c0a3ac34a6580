using System.Buffers;
using System.Text.Json;
using Weft.Api;

namespace Weft.ApiServer.Http;

/// <summary>Writes a <see cref="Status"/> in its JSON form: fields without a value are left out, except the ones clients look at.</summary>
internal static class StatusJson
{
    // An error message quotes manifests and file paths; only what JSON itself demands is escaped.
    private static readonly JsonWriterOptions Options = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static byte[] Serialize(Status status)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(buffer, Options))
            Write(writer, status);
        return buffer.WrittenSpan.ToArray();
    }

    private static void Write(Utf8JsonWriter writer, Status status)
    {
        writer.WriteStartObject();
        writer.WriteString("kind"u8, "Status"u8);
        writer.WriteString("apiVersion"u8, "v1"u8);
        writer.WriteStartObject("metadata"u8);
        Optional(writer, "continue", status.Metadata.Continue);
        writer.WriteEndObject();
        Optional(writer, "status", status.Result);
        Optional(writer, "message", status.Message);
        Optional(writer, "reason", status.Reason);
        if (status.Details is { } details)
            WriteDetails(writer, details);
        if (status.Code is { } code)
            writer.WriteNumber("code"u8, code);
        writer.WriteEndObject();
    }

    private static void WriteDetails(Utf8JsonWriter writer, StatusDetails details)
    {
        writer.WriteStartObject("details"u8);
        Optional(writer, "name", details.Name);
        Optional(writer, "group", details.Group);
        Optional(writer, "kind", details.Kind);
        Optional(writer, "uid", details.Uid);
        if (details.Causes.Count > 0)
        {
            writer.WriteStartArray("causes"u8);
            foreach (var cause in details.Causes)
            {
                writer.WriteStartObject();
                Optional(writer, "reason", cause.Reason);
                Optional(writer, "message", cause.Message);
                Optional(writer, "field", cause.Field);
                writer.WriteEndObject();
            }
            writer.WriteEndArray();
        }
        if (details.RetryAfterSeconds is { } seconds)
            writer.WriteNumber("retryAfterSeconds"u8, seconds);
        writer.WriteEndObject();
    }

    private static void Optional(Utf8JsonWriter writer, string name, string? value)
    {
        if (value is not null)
            writer.WriteString(name, value);
    }
}
