using Weft.Cli.Proxies.HotRestart;

namespace Weft.Cli.Supervision;

/// <summary>
/// What the runs of a child leave with its supervisor for those after them: sockets that it listens on, and keys. Here nothing is known of them but their names. A run waits until it has been given all of it
/// and is told to begin.
/// </summary>
internal sealed class ChildStore : IDisposable
{
    // Eight loops of a hundred ports, and some more. A proxy parses what strangers send, and must not be able to take all descriptors that a process of root's may have.
    private const int Most = 1024;

    private readonly Lock _gate = new();
    private readonly DescriptorStore _store = new(Most);
    private bool _over;

    /// <summary>Takes what a run says.</summary>
    /// <param name="silence">Hears that it goes on.</param>
    /// <returns>Ends when it has said everything: the socket may be closed then.</returns>
    internal Task ListenTo(ControlSocket run, SilenceWatch silence)
    {
        var silent = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() => Listen(run, silence, silent), maxStackSize: 256 * 1024) { IsBackground = true, Name = "control" }.Start();
        return silent.Task;
    }

    /// <summary>Gives a run all that there is, and tells it to begin.</summary>
    internal void Begin(ControlSocket run)
    {
        lock (_gate)
            _store.HandTo(run);
        run.Send(WorkerOrders.Serve);
    }

    /// <summary>Nobody follows: what waits here waits for nobody.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _over = true;
            _store.Dispose();
        }
    }

    private void Listen(ControlSocket run, SilenceWatch silence, TaskCompletionSource silent)
    {
        while (run.Receive() is { } message)
        {
            lock (_gate)
            {
                if (!_over && _store.Hear(message))
                    continue;
            }

            if (WorkerOrders.Split(message.Text) is (WorkerOrders.Alive, var limit))
                silence.Heard(WorkerOrders.AliveLimit(limit));
            foreach (var descriptor in message.Descriptors)
                ControlSocket.CloseDescriptor(descriptor);
        }

        silent.SetResult();
    }
}
