using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Weft.Api;
using Weft.Api.Core;
using Weft.Client;

namespace Weft.Node.Agent;

/// <summary>
/// Writes Events about pods and the node. Best effort, as the kubelet's: when the API is slower than what happens, the oldest unwritten events
/// are dropped. The same event again only counts up.
/// </summary>
internal sealed partial class EventRecorder(KubeClient client, string nodeName, TimeProvider time, ILogger<EventRecorder> logger) : IAsyncDisposable
{
    private const int Waiting = 1000;
    private const int Remembered = 500;

    private readonly Channel<Entry> _queue = Channel.CreateBounded<Entry>(new BoundedChannelOptions(Waiting) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
    private readonly Dictionary<string, (ObjectKey Key, int Count)> _written = [];
    private readonly Queue<string> _order = [];
    private readonly CancellationTokenSource _stop = new();
    private Task? _running;

    private sealed record Entry(ObjectReference Subject, string Type, string Reason, string Message, DateTimeOffset At);

    public void Start() => _running = RunAsync(_stop.Token);

    public void Normal(Pod pod, string reason, string message, string? container = null) => Record(Reference(pod, container), "Normal", reason, message);

    public void Warning(Pod pod, string reason, string message, string? container = null) => Record(Reference(pod, container), "Warning", reason, message);

    public void Warning(ObjectReference subject, string reason, string message) => Record(subject, "Warning", reason, message);

    public void Node(string reason, string message) => Record(OwnNode(), "Normal", reason, message);

    public void NodeWarning(string reason, string message) => Record(OwnNode(), "Warning", reason, message);

    private ObjectReference OwnNode() => new() { Kind = "Node", ApiVersion = "v1", Name = nodeName, Uid = nodeName };

    private void Record(ObjectReference subject, string type, string reason, string message) =>
        _queue.Writer.TryWrite(new Entry(subject, type, reason, message.Length > 1024 ? message[..1021] + "..." : message, time.GetUtcNow()));   // 1024: the API's limit

    private static ObjectReference Reference(Pod pod, string? container) => new()
    {
        Kind = "Pod",
        ApiVersion = "v1",
        Namespace = pod.Metadata.Namespace,
        Name = pod.Metadata.Name,
        Uid = pod.Metadata.Uid,
        ResourceVersion = pod.Metadata.ResourceVersion,
        FieldPath = container is null ? null : $"spec.containers{{{container}}}",
    };

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var entry in _queue.Reader.ReadAllAsync(cancellationToken))
            {
                try
                {
                    await WriteAsync(entry, cancellationToken);
                }
                catch (Exception e) when (e is ApiStatusException or HttpRequestException or IOException or JsonException)
                {
                    Log.NotWritten(logger, entry.Reason, e.Message);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The agent stops.
        }
    }

    private async Task WriteAsync(Entry entry, CancellationToken cancellationToken)
    {
        var identity = string.Join('\0', entry.Subject.Uid, entry.Subject.FieldPath, entry.Type, entry.Reason, entry.Message);
        if (_written.TryGetValue(identity, out var known))
        {
            try
            {
                await client.For<Event>().PatchAsync(known.Key, Patch.Merge(new JsonObject { ["count"] = known.Count + 1, ["lastTimestamp"] = Stamp(entry.At) }), cancellationToken);
                _written[identity] = (known.Key, known.Count + 1);
                return;
            }
            catch (ApiStatusException gone) when (gone.IsNotFound)
            {
                _written.Remove(identity);   // it has expired: a new one begins
            }
        }

        var @namespace = entry.Subject.Namespace is { Length: > 0 } ns ? ns : "default";
        var name = $"{entry.Subject.Name}.{entry.At.Ticks:x}{(uint)StringComparer.Ordinal.GetHashCode(identity):x}";
        await client.For<Event>().CreateAsync(@namespace, new Event
        {
            Metadata = new ObjectMeta { Name = name, Namespace = @namespace },
            InvolvedObject = entry.Subject,
            Type = entry.Type,
            Reason = entry.Reason,
            Message = entry.Message,
            Source = new EventSource { Component = "kubelet", Host = nodeName },
            FirstTimestamp = entry.At,
            LastTimestamp = entry.At,
            Count = 1,
            ReportingComponent = "kubelet",
            ReportingInstance = nodeName,
        }, cancellationToken);
        _written[identity] = (new ObjectKey(@namespace, name), 1);
        _order.Enqueue(identity);
        if (_order.Count > Remembered)
            _written.Remove(_order.Dequeue());
    }

    private static string Stamp(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        // What happened last is worth a moment; an API server that is gone is not.
        if (_running is not null)
            await Task.WhenAny(_running, Task.Delay(TimeSpan.FromSeconds(1), time));
        await _stop.CancelAsync();
        if (_running is not null)
            await _running;
        _stop.Dispose();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Debug, "Event {Reason} was not written: {Cause}", EventName = nameof(NotWritten))]
        public static partial void NotWritten(ILogger logger, string reason, string cause);
    }
}
