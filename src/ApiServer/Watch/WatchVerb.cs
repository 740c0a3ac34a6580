using System.Buffers;
using System.IO.Pipelines;
using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Verbs;
using Weft.Storage;

namespace Weft.ApiServer.Watch;

/// <summary>
/// WATCH: a stream of JSON frames. Each watch reads the store's shared buffer of its prefix with a cursor of its own and copies stored bytes, so an event is
/// encoded once, at its write, however many watch. A client that does not read blocks only its own cursor; when the buffer has moved past it, the watch ends with 410.
/// </summary>
internal sealed class WatchVerb(ObjectReader reader, IResourceCatalog catalog, TimeProvider time, Random random, Metrics metrics, CancellationToken stopping)
{
    // kube-apiserver's --min-request-timeout: a watch without timeoutSeconds lasts half an hour to an hour, so that clients spread over servers again.
    private const int MinSeconds = 1800;

    // Kubernetes: about once a minute.
    private static readonly TimeSpan BookmarkInterval = TimeSpan.FromMinutes(1);

    // Written and not yet flushed, before the socket must take some of it: one HTTP/2 frame. A thousand watchers that read too slowly each hold this much
    // besides what Kestrel holds for them (64 KiB).
    private const int FlushBytes = 16 * 1024;

    // How long a client that reads nothing is waited for once its watch is over. A thousand watches of one connection that end together share what it
    // carries, and each of them is to hear why.
    private static readonly TimeSpan LastFlush = TimeSpan.FromSeconds(30);

    public async Task HandleAsync(ApiRequest request, ResourceInfo resource)
    {
        var options = ListOptions.Read(request.Query, watch: true);
        var selection = Selection.Read(request.Query, resource, reader.IndexOf(resource));
        var presenter = Presenter.For(request, resource, time.GetUtcNow());
        if (presenter.Format.Media != OutputMedia.Json)
            throw Statuses.NotAcceptable(OutputFormat.JsonType, OutputFormat.JsonType + ";stream=watch");
        if (options.Revision > reader.Store.Revision)
            throw Statuses.RevisionTooLarge(options.Revision.Value, reader.Store.Revision);

        var response = request.Http.Response;
        response.StatusCode = 200;
        response.ContentType = OutputFormat.JsonType;
        response.Headers.CacheControl = "no-cache, private";
        Warnings.Write(response.Headers, request.Warnings);

        using var seen = metrics.Watching(resource);
        using var deadline = new CancellationTokenSource(Duration(options), time);
        var ended = catalog.Ended(resource);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource([request.Aborted, deadline.Token, stopping, ended]);
        var frames = new WatchFrames(response.BodyWriter, resource, presenter, options);
        try
        {
            await StreamAsync(frames, resource, Keys.Prefix(resource, request.Info.Namespace), selection, options, ending.Token);
        }
        catch (OperationCanceledException) when ((deadline.IsCancellationRequested || stopping.IsCancellationRequested || ended.IsCancellationRequested) && !request.Aborted.IsCancellationRequested)
        {
            frames.Bookmark();
        }
        catch (CompactedException e)
        {
            frames.Error(Statuses.Expired(e.Requested, e.Compacted + 1).Status);
        }
        catch (ApiException e)
        {
            frames.Error(e.Status); // a webhook did not convert: the client lists again, and is told why if it still does not
        }
        catch (WatchExpiredException)
        {
            metrics.WatchExpired(resource);
            frames.Error(Statuses.WatcherTooSlow().Status);
        }

        using var last = new CancellationTokenSource(LastFlush, time);
        using var lastOrGone = CancellationTokenSource.CreateLinkedTokenSource(request.Aborted, last.Token);
        try
        {
            await response.BodyWriter.FlushAsync(lastOrGone.Token);
        }
        catch (OperationCanceledException)
        {
            request.Http.Abort(); // it has not read for minutes: closing the connection is the only message left
        }
    }

    private async Task StreamAsync(WatchFrames frames, ResourceInfo resource, string prefix, Selection selection, ListOptions options, CancellationToken cancellationToken)
    {
        var after = options.Revision ?? 0;
        // Without a revision, and with 0, a watch begins with what there is; sendInitialEvents asks for the same from any revision on.
        if (options.SendInitialEvents ?? after == 0)
            after = await SendInitialAsync(frames, prefix, selection, options, cancellationToken);
        else if (after == 0)
            after = reader.Store.Revision;
        frames.Reached(after);

        await using var watch = reader.Store.Watch(prefix, after);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await using var batches = watch.ReadAsync(ending.Token).GetAsyncEnumerator(ending.Token);
        using var bookmarks = options.Bookmarks ? new PeriodicTimer(BookmarkInterval, time) : null;
        Task<bool>? due = null;
        while (true)
        {
            var next = batches.MoveNextAsync();
            if (!next.IsCompleted || frames.Unflushed >= FlushBytes)
                await FlushedAsync(frames, ending);
            if (bookmarks is not null && !next.IsCompleted)
            {
                var batch = next.AsTask();
                // Cancellation comes through the batch alone: the enumerator must not be disposed while it is still asked.
                due ??= bookmarks.WaitForNextTickAsync(CancellationToken.None).AsTask();
                while (await Task.WhenAny(batch, due) == due)
                {
                    frames.Bookmark();
                    due = bookmarks.WaitForNextTickAsync(CancellationToken.None).AsTask();
                    if (!await FlushedAsync(frames, ending))
                        break;
                }
                next = new ValueTask<bool>(batch);
            }

            if (!await next)
                return;
            // A custom kind may have another schema by now: what was written under it is shown by it.
            if (resource.IsCustom && catalog.Current.Find(resource.Resource.Group, resource.Resource.Version, resource.Resource.Resource) is { } now)
                frames.Use(now);
            await WriteAsync(frames, batches.Current, selection, cancellationToken);
            frames.Reached(batches.Current.Revision);
        }
    }

    // False when the watch is over: the batch that is waited for then ends it. An exception here would dispose the enumerator while it is still asked,
    // and that would hide it behind a NotSupportedException.
    private static async ValueTask<bool> FlushedAsync(WatchFrames frames, CancellationTokenSource ending)
    {
        try
        {
            await frames.FlushAsync(ending.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            await ending.CancelAsync(); // the client may have closed the stream, which nobody else has seen yet
            return false;
        }
    }

    private async ValueTask<long> SendInitialAsync(WatchFrames frames, string prefix, Selection selection, ListOptions options, CancellationToken cancellationToken)
    {
        var page = await reader.Store.ListAsync(prefix, cancellationToken: cancellationToken);
        foreach (var entry in page.Entries)
        {
            if (!selection.Matches(entry))
                continue;
            var shown = await ObjectCodec.ServedAsync(frames.Resource, Stored.Of(entry), cancellationToken);
            frames.Event("ADDED"u8, shown);
            if (frames.Unflushed >= FlushBytes)
                await frames.FlushAsync(cancellationToken);
        }
        if (options is { SendInitialEvents: true, Bookmarks: true })
            frames.InitialEventsEnd(page.Revision);
        return page.Revision;
    }

    private static async ValueTask WriteAsync(WatchFrames frames, ChangeBatch batch, Selection selection, CancellationToken cancellationToken)
    {
        foreach (var change in batch.Changes)
        {
            var (was, isNow) = (change.Previous is { } old && selection.Matches(old), change.Current is { } current && selection.Matches(current));
            if (!was && !isNow)
                continue;
            // Gone, or left the selector: its last form, with the revision of now.
            var shown = await ObjectCodec.ServedAsync(frames.Resource, new Stored((isNow ? change.Current! : change.Previous!).Value, batch.Revision), cancellationToken);
            frames.Event(isNow ? was ? "MODIFIED"u8 : "ADDED"u8 : "DELETED"u8, shown);
        }
    }

    private TimeSpan Duration(ListOptions options)
    {
        if (options.TimeoutSeconds is { } seconds and > 0)
            return TimeSpan.FromSeconds(Math.Min(seconds, 24 * 3600));
        lock (random)
            return TimeSpan.FromSeconds(MinSeconds + random.Next(MinSeconds));
    }
}
