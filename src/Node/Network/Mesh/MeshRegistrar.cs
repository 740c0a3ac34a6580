using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Weft.Node.Network.Mesh;

/// <summary>
/// Tells the node's proxy who its pods are. Each connection begins with all of them; a proxy that comes back hears all again. Lines of JSON, each answered
/// by one.
/// </summary>
internal sealed partial class MeshRegistrar : IAsyncDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50), LongestPause = TimeSpan.FromSeconds(1);

    // The proxy writes a small file for each order.
    private static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(10);

    private readonly string _socket;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Entry> _pods = [];
    private readonly HashSet<string> _gone = [];
    private readonly List<TaskCompletionSource<IReadOnlyDictionary<string, long>>> _questions = [];
    private readonly SemaphoreSlim _changed = new(0, 1);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;
    private string? _why = "it was not reached yet";

    private sealed record Entry(MeshedPod Pod)
    {
        public TaskCompletionSource Known { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <param name="socket">Path of the proxy's socket.</param>
    public MeshRegistrar(string socket, IEnumerable<MeshedPod> pods, TimeProvider time, ILogger logger)
    {
        (_socket, _time, _logger) = (socket, time, logger);
        foreach (var pod in pods)
            _pods[pod.Uid] = new Entry(pod);
        _running = Task.Run(RunAsync);
    }

    /// <summary>Why the proxy does not know all pods; null: it does.</summary>
    public string? Trouble => Volatile.Read(ref _why);

    /// <summary>Ends when the proxy has said that it knows the pod, as it is here.</summary>
    public Task RegisterAsync(MeshedPod pod)
    {
        Entry entry;
        lock (_gate)
        {
            if (_pods.GetValueOrDefault(pod.Uid) is { } known && known.Pod.IsSame(pod) && !known.Known.Task.IsFaulted)
                return known.Known.Task;
            entry = _pods[pod.Uid] = new Entry(pod);
            _gone.Remove(pod.Uid);
        }
        Wake();
        return entry.Known.Task;
    }

    /// <summary>Is not waited for: an address that a proxy knows too long is nobody's, or is registered anew.</summary>
    public void Unregister(string uid)
    {
        lock (_gate)
        {
            if (!_pods.Remove(uid))
                return;
            _gone.Add(uid);
        }
        Wake();
    }

    /// <summary>How many requests the proxy has sent since it started, by address.</summary>
    /// <exception cref="IOException">It is away, or does not count.</exception>
    public async Task<IReadOnlyDictionary<string, long>> RequestsAsync(CancellationToken cancellationToken)
    {
        if (Trouble is { } trouble)
            throw new IOException($"the node's proxy does not answer: {trouble}");
        var question = new TaskCompletionSource<IReadOnlyDictionary<string, long>>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
            _questions.Add(question);
        Wake();
        return await question.Task.WaitAsync(AnswerPatience, _time, cancellationToken);
    }

    private void Wake()
    {
        try
        {
            _changed.Release();
        }
        catch (SemaphoreFullException)
        {
            // It is to look already.
        }
    }

    private async Task RunAsync()
    {
        var pause = FirstPause;
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(_socket), _stop.Token);
                await using var stream = new NetworkStream(socket);
                await TalkAsync(stream, () => pause = FirstPause);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception away) when (away is SocketException or IOException or JsonException or OperationCanceledException)
            {
                if (Trouble is null)
                    Log.Lost(_logger, away.Message);
                Volatile.Write(ref _why, away.Message);
                foreach (var question in Questions())
                    question.TrySetException(new IOException($"the node's proxy does not answer: {away.Message}"));
            }

            await Task.Delay(pause, _time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    private async Task TalkAsync(Stream stream, Action wentWell)
    {
        using var reader = new StreamReader(stream, Encoding.UTF8, false, 1024, leaveOpen: true);
        Dictionary<string, Entry> told;
        Task<string?>? ended = null;
        lock (_gate)
        {
            told = new(_pods);
            _gone.Clear();   // the list says it
        }
        Demand((await AskAsync(new("begin"))).Error);
        var refused = new Dictionary<Entry, string>();
        foreach (var entry in told.Values)
        {
            if ((await AskAsync(new("add", entry.Pod))).Error is { } why)
                refused[entry] = why;
        }
        Demand((await AskAsync(new("end"))).Error);
        foreach (var entry in told.Values)
            Answer(entry, refused.GetValueOrDefault(entry));
        wentWell();
        Volatile.Write(ref _why, null);
        Log.Registered(_logger, told.Count);

        // Nothing comes unasked: what ends this is the end of the connection.
        ended = reader.ReadLineAsync(_stop.Token).AsTask();
        while (true)
        {
            List<Entry> added;
            List<string> gone;
            lock (_gate)
            {
                added = [.. _pods.Values.Where(entry => told.GetValueOrDefault(entry.Pod.Uid) != entry)];
                gone = [.. _gone];
                _gone.Clear();
            }
            foreach (var uid in gone)
            {
                Demand((await AskAsync(new("remove", Uid: uid))).Error);
                told.Remove(uid);
            }
            foreach (var entry in added)
            {
                Answer(entry, (await AskAsync(new("add", entry.Pod))).Error);
                told[entry.Pod.Uid] = entry;
            }
            var questions = Questions();
            if (questions.Count > 0)
            {
                var counted = await AskAsync(new("requests"));
                foreach (var question in questions)
                {
                    if (counted.Requests is { } requests)
                        question.TrySetResult(requests);
                    else
                        question.TrySetException(new IOException($"the node's proxy does not count requests: {counted.Error}"));
                }
            }
            if (added.Count + gone.Count + questions.Count > 0)
                continue;
            using var waiting = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            var changed = _changed.WaitAsync(waiting.Token);
            if (await Task.WhenAny(changed, ended) == ended)
            {
                await waiting.CancelAsync();
                await changed.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
                throw new IOException("the proxy closed the connection");
            }
            await changed;
        }

        async Task<RegistrationAnswer> AskAsync(RegistrationOrder order)
        {
            byte[] line = [.. JsonSerializer.SerializeToUtf8Bytes(order, RegistrationJson.Default.RegistrationOrder), (byte)'\n'];
            using var patience = new CancellationTokenSource(AnswerPatience, _time);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token, patience.Token);
            await stream.WriteAsync(line, both.Token);
            // After the list the next line is being read already.
            var answer = ended is null ? await reader.ReadLineAsync(both.Token) : await ended.WaitAsync(both.Token);
            if (ended is not null)
                ended = reader.ReadLineAsync(_stop.Token).AsTask();
            if (answer is null)
                throw new IOException("the proxy closed the connection");
            return JsonSerializer.Deserialize(answer, RegistrationJson.Default.RegistrationAnswer) ?? new RegistrationAnswer("it answered null");
        }
    }

    private List<TaskCompletionSource<IReadOnlyDictionary<string, long>>> Questions()
    {
        lock (_gate)
        {
            List<TaskCompletionSource<IReadOnlyDictionary<string, long>>> asked = [.. _questions];
            _questions.Clear();
            return asked;
        }
    }

    private static void Demand(string? error)
    {
        if (error is not null)
            throw new IOException($"the proxy refused: {error}");
    }

    // One that is refused (too many labels, say) waits alone; the others are not kept up by it.
    private void Answer(Entry entry, string? error)
    {
        if (error is null)
        {
            entry.Known.TrySetResult();
            return;
        }
        if (entry.Known.TrySetException(new IOException($"the node's proxy refused the pod: {error}")))
            Log.Refused(_logger, entry.Pod.Namespace, entry.Pod.Name, error);
        _ = entry.Known.Task.Exception;   // seen, also when nobody waits
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _changed.Dispose();
        _stop.Dispose();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "The node's proxy knows the {Count} meshed pods", EventName = nameof(Registered))]
        public static partial void Registered(ILogger logger, int count);

        [LoggerMessage(LogLevel.Warning, "The node's proxy refused pod {Namespace}/{Pod}: {Cause}", EventName = nameof(Refused))]
        public static partial void Refused(ILogger logger, string @namespace, string pod, string cause);

        [LoggerMessage(LogLevel.Warning, "The node's proxy is away, new meshed pods wait for it: {Cause}", EventName = nameof(Lost))]
        public static partial void Lost(ILogger logger, string cause);
    }
}
