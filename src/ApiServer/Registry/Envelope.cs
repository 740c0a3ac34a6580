using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Weft.ApiServer.Registry;

/// <summary>
/// The stored form of one object: a small header and its JSON without `metadata.resourceVersion`, whose value is not known when the object is written.
/// A reader sends the JSON up to <see cref="RevisionOffset"/>, the revision, and the rest; nothing is parsed for it.
/// </summary>
internal readonly struct Envelope
{
    // Format 1: format, schema epoch (8 bytes), revision offset (4 bytes), length of the version, version, JSON. Numbers are little-endian.
    private const byte Format = 1;
    private const int FixedHeader = 1 + 8 + 4 + 1;

    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    private readonly ReadOnlyMemory<byte> _version;

    private Envelope(long schemaEpoch, int revisionOffset, ReadOnlyMemory<byte> version, ReadOnlyMemory<byte> json)
    {
        SchemaEpoch = schemaEpoch;
        RevisionOffset = revisionOffset;
        _version = version;
        Json = json;
    }

    /// <summary>The schema by which the object was last defaulted and pruned.</summary>
    public long SchemaEpoch { get; }

    /// <summary>Where `"resourceVersion":"..",` belongs in <see cref="Json"/>: right after the brace that opens metadata.</summary>
    public int RevisionOffset { get; }
    public ReadOnlyMemory<byte> Json { get; }

    public bool IsIn(string version, long schemaEpoch) => SchemaEpoch == schemaEpoch && Ascii.Equals(_version.Span, version);

    public bool IsOf(string version) => Ascii.Equals(_version.Span, version);

    public static Envelope Read(ReadOnlyMemory<byte> value)
    {
        var header = value.Span;
        if (header.Length < FixedHeader || header[0] != Format)
            throw new InvalidDataException($"a stored object has format {(header.Length == 0 ? "none" : header[0].ToString())}, this program reads format {Format}");
        var epoch = BinaryPrimitives.ReadInt64LittleEndian(header[1..]);
        var offset = BinaryPrimitives.ReadInt32LittleEndian(header[9..]);
        var start = FixedHeader + header[13];
        return new Envelope(epoch, offset, value[FixedHeader..start], value[start..]);
    }

    /// <summary>Serialises an object of the storage version. `apiVersion`, `kind` and `metadata` come first, then the members as they stand.</summary>
    public static byte[] Write(JsonObject tree, string version, long schemaEpoch)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        var header = buffer.GetSpan(FixedHeader + version.Length);
        header[0] = Format;
        BinaryPrimitives.WriteInt64LittleEndian(header[1..], schemaEpoch);
        header[13] = (byte)Encoding.ASCII.GetBytes(version, header[FixedHeader..]);
        var start = FixedHeader + version.Length;
        buffer.Advance(start);

        var revisionOffset = WriteJson(buffer, tree);
        var value = buffer.WrittenSpan.ToArray();
        BinaryPrimitives.WriteInt32LittleEndian(value.AsSpan(9), revisionOffset);
        return value;
    }

    /// <summary>Writes the tree without its resourceVersion; returns where that belongs, counted from the first byte written.</summary>
    public static int WriteJson(IBufferWriter<byte> output, JsonObject tree)
    {
        using var writer = new Utf8JsonWriter(output, WriterOptions);
        writer.WriteStartObject();
        WriteMember(writer, tree, "kind");
        WriteMember(writer, tree, "apiVersion");
        writer.WriteStartObject("metadata"u8);
        var revisionOffset = (int)(writer.BytesCommitted + writer.BytesPending);
        if (tree["metadata"] is JsonObject metadata)
        {
            foreach (var (name, value) in metadata)
            {
                if (name != "resourceVersion")
                    WriteValue(writer, name, value);
            }
        }
        writer.WriteEndObject();
        foreach (var (name, value) in tree)
        {
            if (name is not ("kind" or "apiVersion" or "metadata"))
                WriteValue(writer, name, value);
        }
        writer.WriteEndObject();
        writer.Flush();
        return revisionOffset;
    }

    /// <summary>Copies the object with its revision to <paramref name="output"/>. Revision 0 (a dry run's new object) writes none.</summary>
    public void CopyTo(IBufferWriter<byte> output, long revision)
    {
        var json = Json.Span;
        output.Write(json[..RevisionOffset]);
        if (revision > 0)
        {
            WriteRevision(output, revision);
            if (json[RevisionOffset] != (byte)'}')
                output.Write(","u8);
        }
        output.Write(json[RevisionOffset..]);
    }

    public int LengthWith(long revision) => Json.Length + (revision > 0 ? 42 : 0);

    /// <summary>The object as a tree that may be changed, with its revision in metadata.</summary>
    public JsonObject Parse(long revision)
    {
        var tree = (JsonObject)JsonNode.Parse(Json.Span)!;
        if (revision > 0 && tree["metadata"] is JsonObject metadata)
            metadata["resourceVersion"] = Revisions.Text(revision);
        return tree;
    }

    private static void WriteRevision(IBufferWriter<byte> output, long revision)
    {
        var head = "\"resourceVersion\":\""u8;
        var span = output.GetSpan(head.Length + 21);
        head.CopyTo(span);
        Utf8Formatter.TryFormat(revision, span[head.Length..], out var digits);
        span[head.Length + digits] = (byte)'"';
        output.Advance(head.Length + digits + 1);
    }

    private static void WriteMember(Utf8JsonWriter writer, JsonObject tree, string name)
    {
        if (tree[name] is { } value)
            WriteValue(writer, name, value);
    }

    private static void WriteValue(Utf8JsonWriter writer, string name, JsonNode? value)
    {
        writer.WritePropertyName(name);
        if (value is null)
            writer.WriteNullValue();
        else
            value.WriteTo(writer);
    }
}
