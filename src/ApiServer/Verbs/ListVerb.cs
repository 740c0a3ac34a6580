using System.Buffers;
using System.IO.Compression;
using System.IO.Pipelines;
using System.Text.Json.Nodes;
using Weft.Api.Trees;
using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;
using Weft.Storage;

namespace Weft.ApiServer.Verbs;

/// <summary>LIST: pages of one revision, filtered by the index, sent as stored bytes.</summary>
internal sealed class ListVerb(ObjectReader reader, TimeProvider time)
{
    private const int FlushBytes = 64 * 1024;

    public async Task HandleAsync(ApiRequest request, ResourceInfo resource)
    {
        var options = ListOptions.Read(request.Query, watch: false);
        var selection = Selection.Read(request.Query, resource, reader.IndexOf(resource));
        var presenter = Presenter.For(request, resource, time.GetUtcNow());
        var page = await reader.ListAsync(resource, request.Info.Namespace, selection, options, request.Aborted);

        if (presenter.Format.Media == OutputMedia.Yaml)
        {
            var buffer = new ArrayBufferWriter<byte>();
            Write(buffer, resource, presenter, page);
            await ResponseWriter.WriteAsync(request, presenter.Format, buffer.WrittenMemory);
            return;
        }

        await ResponseWriter.StreamAsync(request, page.Bytes, output => WriteAsync(output, resource, presenter, page, request.Aborted));
    }

    private static async Task WriteAsync(PipeWriter output, ResourceInfo resource, Presenter presenter, ListPage page, CancellationToken cancellationToken)
    {
        WriteHead(output, resource, presenter, page);
        for (var i = 0; i < page.Items.Count; i++)
        {
            WriteOne(output, presenter, page, i);
            if (output.UnflushedBytes >= FlushBytes)
                await output.FlushAsync(cancellationToken);
        }
        output.Write("]}\n"u8);
        await output.FlushAsync(cancellationToken);
    }

    internal static void Write(IBufferWriter<byte> output, ResourceInfo resource, Presenter presenter, ListPage page)
    {
        WriteHead(output, resource, presenter, page);
        for (var i = 0; i < page.Items.Count; i++)
            WriteOne(output, presenter, page, i);
        output.Write("]}"u8);
    }

    private static void WriteHead(IBufferWriter<byte> output, ResourceInfo resource, Presenter presenter, ListPage page)
    {
        var revision = Revisions.Text(page.Revision);
        if (presenter.Format.Shape == OutputShape.Table)
        {
            TableText.WriteHead(output, presenter.Format.MetaVersion, revision, page.Continue, page.Remaining);
            TableText.WriteColumns(output, resource.Columns);
            output.Write("\"rows\":["u8);
            return;
        }

        var isPartial = presenter.Format.Shape == OutputShape.PartialMetadata;
        var metadata = new JsonObject { ["resourceVersion"] = revision };
        if (page.Continue is not null)
            metadata["continue"] = page.Continue;
        if (page.Remaining is { } remaining)
            metadata["remainingItemCount"] = remaining;
        var head = new JsonObject
        {
            ["kind"] = isPartial ? "PartialObjectMetadataList" : resource.ListKind,
            ["apiVersion"] = isPartial ? $"meta.k8s.io/{presenter.Format.MetaVersion}" : resource.Kind.ApiVersion,
            ["metadata"] = metadata,
        };
        output.Write(JsonTree.WriteUtf8(head).AsSpan()[..^1]);
        output.Write(",\"items\":["u8);
    }

    private static void WriteOne(IBufferWriter<byte> output, Presenter presenter, ListPage page, int index)
    {
        if (index > 0)
            output.Write(","u8);
        var stored = Stored.Of(page.Items[index]);
        if (presenter.Format.Shape == OutputShape.Table)
            presenter.WriteRow(output, stored);
        else
            presenter.WriteItem(output, stored);
    }
}
