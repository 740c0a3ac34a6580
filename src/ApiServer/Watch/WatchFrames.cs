using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Trees;
using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Verbs;

namespace Weft.ApiServer.Watch;

/// <summary>Writes the frames of one watch.</summary>
internal sealed class WatchFrames(PipeWriter output, ResourceInfo resource, Presenter initial, ListOptions options)
{
    private Presenter _presenter = initial;
    private ResourceInfo _resource = resource;
    private long _revision;
    private bool _columnsSent;

    public long Unflushed => output.CanGetUnflushedBytes ? output.UnflushedBytes : long.MaxValue;

    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        var result = await output.FlushAsync(cancellationToken);
        if (result.IsCompleted)
            throw new OperationCanceledException("the client closed the stream");
    }

    /// <summary>Events from now on are shown by this form of the resource.</summary>
    public void Use(ResourceInfo now) => (_presenter, _resource) = (_presenter.For(now), now);

    public ResourceInfo Resource => _resource;

    /// <summary>Everything up to the revision has been written.</summary>
    public void Reached(long revision) => _revision = Math.Max(_revision, revision);

    public void Event(ReadOnlySpan<byte> type, Stored stored)
    {
        Begin(type);
        if (_presenter.Format.Shape == OutputShape.Table)
        {
            _presenter.WriteTable(output, stored, withColumns: !_columnsSent);
            _columnsSent = true;
        }
        else
        {
            _presenter.WriteItem(output, stored);
        }
        output.Write("}\n"u8);
    }

    /// <summary>Tells a client that asked for it how far it has come, so that it can begin again from there.</summary>
    public void Bookmark()
    {
        if (options.Bookmarks && _revision > 0)
            WriteBookmark(_revision, null);
    }

    public void InitialEventsEnd(long revision) => WriteBookmark(revision, new JsonObject { ["k8s.io/initial-events-end"] = "true" });

    public void Error(Status status)
    {
        Begin("ERROR"u8);
        output.Write(StatusJson.Serialize(status));
        output.Write("}\n"u8);
    }

    // A bookmark is an object of the kind (or shape) of the watch with nothing but its revision.
    private void WriteBookmark(long revision, JsonObject? annotations)
    {
        var metadata = new JsonObject { ["resourceVersion"] = Revisions.Text(revision), ["creationTimestamp"] = null };
        if (annotations is not null)
            metadata["annotations"] = annotations;
        var bookmark = new JsonObject { ["kind"] = _resource.Kind.Kind, ["apiVersion"] = _resource.Kind.ApiVersion, ["metadata"] = metadata };
        if (_presenter.Format.Shape == OutputShape.PartialMetadata)
            (bookmark["kind"], bookmark["apiVersion"]) = ("PartialObjectMetadata", $"meta.k8s.io/{_presenter.Format.MetaVersion}");
        else if (_presenter.Format.Shape == OutputShape.Table)
        {
            bookmark = new JsonObject
            {
                ["kind"] = "Table",
                ["apiVersion"] = $"meta.k8s.io/{_presenter.Format.MetaVersion}",
                ["metadata"] = new JsonObject { ["resourceVersion"] = Revisions.Text(revision) },
                ["columnDefinitions"] = new JsonArray(),
                ["rows"] = new JsonArray(new JsonObject { ["cells"] = new JsonArray(), ["object"] = bookmark }),
            };
        }

        Begin("BOOKMARK"u8);
        JsonTree.WriteUtf8(bookmark, output);
        output.Write("}\n"u8);
    }

    private void Begin(ReadOnlySpan<byte> type)
    {
        output.Write("{\"type\":\""u8);
        output.Write(type);
        output.Write("\",\"object\":"u8);
    }
}
