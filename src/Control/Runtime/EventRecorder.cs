using System.Globalization;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Weft.Api;
using Weft.Api.Core;
using Weft.Client;

namespace Weft.Control.Runtime;

/// <summary>
/// Writes core/v1 Events for people. Never slows or fails its caller: what cannot be written is dropped. The same news again raises a
/// counter instead of making a new object, and an object that has too much to say is cut off.
/// </summary>
public sealed partial class EventRecorder : IAsyncDisposable
{
    // Events in line for writing. A burst beyond it is not worth memory: whoever floods loses the newest.
    private const int Capacity = 512;

    private readonly Channel<EventNews> _line = Channel.CreateBounded<EventNews>(
        new BoundedChannelOptions(Capacity) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
    private readonly CancellationTokenSource _stopping = new();
    private readonly ResourceClient<Event> _events;
    private readonly EventMemory _memory = new();
    private readonly string _component;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Task _writing;

    public EventRecorder(KubeClient client, string component, TimeProvider time, ILogger logger)
    {
        _events = client.For<Event>();
        _component = component;
        _time = time;
        _logger = logger;
        _writing = WriteAsync(_stopping.Token);
    }

    /// <summary>Something went as it should.</summary>
    public void Normal<T>(T regarding, string reason, string message) where T : IObject => Record(regarding.Reference(), "Normal", reason, message);

    /// <summary>Something a person should look at.</summary>
    public void Warning<T>(T regarding, string reason, string message) where T : IObject => Record(regarding.Reference(), "Warning", reason, message);

    public void Record(ObjectReference regarding, string type, string reason, string message) =>
        _line.Writer.TryWrite(new EventNews(regarding, type, reason, message, _time.GetUtcNow()));

    private async Task WriteAsync(CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var news in _line.Reader.ReadAllAsync(cancellationToken))
            {
                try
                {
                    await WriteAsync(news, cancellationToken);
                }
                catch (Exception failed) when (failed is ApiStatusException or HttpRequestException or IOException or TimeoutException or System.Text.Json.JsonException)
                {
                    Log.Lost(_logger, _component, news.Reason, failed.Message);
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Stopped: what is still in line is dropped.
        }
    }

    private async Task WriteAsync(EventNews heard, CancellationToken cancellationToken)
    {
        var news = _memory.Combine(heard);
        switch (_memory.Decide(news))
        {
            case EventDecision.Again again:
                try
                {
                    var count = new JsonObject { ["count"] = again.Count, ["lastTimestamp"] = Rfc3339(news.At) };
                    if (news.IsCombined)
                        count["message"] = Bounded(news.Message);
                    await _events.PatchAsync(again.Key, Patch.Merge(count), cancellationToken);
                    return;
                }
                catch (ApiStatusException refused) when (refused.IsNotFound)
                {
                    goto default; // it expired meanwhile
                }

            case EventDecision.TooMany:
                return;
            default:
                var created = await _events.CreateAsync(NamespaceOf(news.Regarding), NewEvent(news), cancellationToken);
                _memory.Wrote(news, created.Key());
                return;
        }
    }

    private Event NewEvent(EventNews news) => new()
    {
        Metadata = new ObjectMeta
        {
            Namespace = NamespaceOf(news.Regarding),
            // Unique enough, and sorted by time, as client-go names them.
            Name = $"{news.Regarding.Name}.{(news.At - DateTimeOffset.UnixEpoch).Ticks * 100:x}{_memory.Next():x2}",
        },
        InvolvedObject = news.Regarding,
        Type = news.Type,
        Reason = news.Reason,
        Message = Bounded(news.Message),
        Source = new EventSource { Component = _component },
        ReportingComponent = _component,
        FirstTimestamp = news.At,
        LastTimestamp = news.At,
        Count = 1,
    };

    // The API's limit is 1024.
    private static string Bounded(string message) => message.Length <= 1024 ? message : message[..1021] + "...";

    // Events of cluster-scoped objects live in "default".
    private static string NamespaceOf(ObjectReference regarding) => string.IsNullOrEmpty(regarding.Namespace) ? "default" : regarding.Namespace;

    private static string Rfc3339(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    public async ValueTask DisposeAsync()
    {
        _line.Writer.TryComplete();
        await _stopping.CancelAsync();
        await _writing;
        _stopping.Dispose();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Debug, "{Component}: an event ({Reason}) was not written: {Cause}", EventName = nameof(Lost))]
        public static partial void Lost(ILogger logger, string component, string reason, string cause);
    }
}
