using Weft.Node.Interop;

namespace Weft.Bench.Mesh.Changes;

/// <summary>Asks without a pause, out of a pod's network, and says when an outcome was first seen.</summary>
internal sealed class Observer : IDisposable
{
    private readonly Func<IAsker> _connect;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly Task _asking;
    private volatile bool _stopping;
    private string? _awaited;
    private TaskCompletionSource<long>? _seen;

    /// <param name="connect">Called on a thread in the pod's network, and again after a connection was lost.</param>
    public Observer(BenchPod from, Func<IAsker> connect, TimeProvider time)
    {
        (_connect, _time) = (connect, time);
        _asking = NamespaceThread.InNetworkAsync(from.Network, Ask);
    }

    public long Requests { get; private set; }

    /// <summary>Ends with the time at which an answer of this kind had arrived, the first after this call.</summary>
    public Task<long> NextAsync(string outcome)
    {
        lock (_gate)
        {
            _seen = new(TaskCreationOptions.RunContinuationsAsynchronously);
            _awaited = outcome;
            return _seen.Task;
        }
    }

    private int Ask()
    {
        IAsker? asker = null;
        while (!_stopping)
        {
            string outcome;
            try
            {
                asker ??= _connect();
                outcome = asker.Ask();
            }
            catch (Exception lost) when (lost is IOException or System.Net.Sockets.SocketException)
            {
                asker?.Dispose();
                asker = null;
                outcome = Lost;
            }

            var now = _time.GetTimestamp();
            Requests++;
            lock (_gate)
            {
                if (outcome != _awaited)
                    continue;
                _awaited = null;
                _seen!.SetResult(now);
            }
        }

        asker?.Dispose();
        return 0;
    }

    /// <summary>The outcome of a connection that was refused or cut.</summary>
    public const string Lost = "lost";

    public void Dispose()
    {
        _stopping = true;
        _asking.GetAwaiter().GetResult();
    }
}

/// <summary>One question after the other.</summary>
internal interface IAsker : IDisposable
{
    string Ask();
}
