using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.Api.Trees;
using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Verbs;

/// <summary>What a Table row carries of its object besides the cells.</summary>
internal enum IncludeObject { Metadata, None, Object }

/// <summary>Writes stored objects in the shape that a request asked for. The plain shape copies stored bytes.</summary>
internal sealed class Presenter(ResourceInfo resource, OutputFormat format, IncludeObject include, DateTimeOffset now)
{
    public static Presenter For(ApiRequest request, ResourceInfo resource, DateTimeOffset now)
    {
        var format = OutputFormat.Negotiate(request.Http.Request.Headers.Accept);
        var include = request.Query.Last("includeObject") switch
        {
            null or "Metadata" => IncludeObject.Metadata,
            "None" => IncludeObject.None,
            "Object" => IncludeObject.Object,
            var other => throw Statuses.BadRequest($"includeObject must be None, Metadata or Object, not '{other}'"),
        };
        return new Presenter(resource, format, include, now);
    }

    /// <summary>The same shape for another form of the resource.</summary>
    public Presenter For(ResourceInfo other) => ReferenceEquals(other, resource) ? this : new Presenter(other, format, include, now);

    public OutputFormat Format => format;

    /// <summary>One object as an answer of its own.</summary>
    public void WriteObject(IBufferWriter<byte> output, Stored stored)
    {
        if (format.Shape == OutputShape.Table)
            WriteTable(output, stored, withColumns: true);
        else
            WriteItem(output, stored);
    }

    /// <summary>One object of a list (not of a Table).</summary>
    public void WriteItem(IBufferWriter<byte> output, Stored stored)
    {
        if (format.Shape == OutputShape.PartialMetadata)
            WritePartial(output, stored);
        else
            WriteFull(output, stored);
    }

    /// <summary>A Table with one row: what a watch sends. Only its first event has the column definitions.</summary>
    public void WriteTable(IBufferWriter<byte> output, Stored stored, bool withColumns)
    {
        TableText.WriteHead(output, format.MetaVersion, Revisions.Text(stored.Revision), null, null);
        if (withColumns)
            TableText.WriteColumns(output, resource.Columns);
        output.Write("\"rows\":["u8);
        WriteRow(output, stored);
        output.Write("]}"u8);
    }

    public void WriteRow(IBufferWriter<byte> output, Stored stored)
    {
        var tree = ObjectCodec.ToTree(resource, stored);
        output.Write("{\"cells\":["u8);
        for (var i = 0; i < resource.Columns.Count; i++)
        {
            if (i > 0)
                output.Write(","u8);
            JsonTree.WriteUtf8(resource.Columns[i].Value(tree, now), output);
        }
        output.Write("]"u8);
        if (include != IncludeObject.None)
        {
            output.Write(",\"object\":"u8);
            if (include == IncludeObject.Object)
                WriteFull(output, stored);
            else
                WritePartial(output, stored);
        }
        output.Write("}"u8);
    }

    private void WriteFull(IBufferWriter<byte> output, Stored stored)
    {
        var envelope = stored.Envelope;
        if (ObjectCodec.IsAsStored(resource, envelope))
            envelope.CopyTo(output, stored.Revision);
        else
            JsonTree.WriteUtf8(ObjectCodec.ToTree(resource, stored), output);
    }

    // Metadata is cut out of the stored bytes by its place: a metadata informer over thousands of secrets parses none of them.
    private void WritePartial(IBufferWriter<byte> output, Stored stored)
    {
        var envelope = stored.Envelope;
        var json = envelope.Json.Span;
        var start = envelope.RevisionOffset - 1;
        var reader = new Utf8JsonReader(json[start..]);
        reader.Read();
        reader.Skip();
        var metadata = json.Slice(start, (int)reader.BytesConsumed);

        output.Write("{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/"u8);
        output.Write(System.Text.Encoding.ASCII.GetBytes(MetaVersion));
        output.Write("\",\"metadata\":{\"resourceVersion\":\""u8);
        output.Write(System.Text.Encoding.ASCII.GetBytes(Revisions.Text(stored.Revision)));
        output.Write(metadata.Length > 2 ? "\","u8 : "\""u8);
        output.Write(metadata[1..]);
        output.Write("}"u8);
    }

    private string MetaVersion => format.MetaVersion.Length == 0 ? "v1" : format.MetaVersion;
}

/// <summary>The fixed parts of a meta.k8s.io Table.</summary>
internal static class TableText
{
    public static void WriteHead(IBufferWriter<byte> output, string metaVersion, string revision, string? continueToken, long? remaining)
    {
        var head = new JsonObject { ["resourceVersion"] = revision };
        if (continueToken is not null)
            head["continue"] = continueToken;
        if (remaining is not null)
            head["remainingItemCount"] = remaining;
        output.Write("{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/"u8);
        output.Write(System.Text.Encoding.ASCII.GetBytes(metaVersion));
        output.Write("\",\"metadata\":"u8);
        JsonTree.WriteUtf8(head, output);
        output.Write(","u8);
    }

    public static void WriteColumns(IBufferWriter<byte> output, IReadOnlyList<TableColumn> columns)
    {
        output.Write("\"columnDefinitions\":"u8);
        JsonTree.WriteUtf8(new JsonArray([.. columns.Select(column => new JsonObject
        {
            ["name"] = column.Name,
            ["type"] = column.Type,
            ["format"] = column.Format,
            ["description"] = column.Description,
            ["priority"] = column.Priority,
        })]), output);
        output.Write(","u8);
    }
}
