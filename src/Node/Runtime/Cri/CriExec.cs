using System.Collections.Concurrent;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Weft.Api.Streams;
using Weft.Grpc;
using Weft.Node.Interop;
using Weft.Node.Runtime.Cri.Wire;
using Weft.Node.Runtime.Process;

namespace Weft.Node.Runtime.Cri;

/// <summary>
/// Commands in a running container, by containerd's task service. CRI's own way, a WebSocket, cannot say that the input has ended, so `sha256sum`
/// would wait for ever; here input and output are FIFOs whose other ends the shim holds: bytes are exact and end-of-file is end-of-file.
/// </summary>
internal sealed class CriExec(CriClient client, EventLoop loop, CriPaths paths, Func<CancellationToken, Task> ready, TimeProvider time, Random random)
{
    // What containerd calls a process specification of the runtime it knows.
    private const string ProcessType = "types.containerd.io/opencontainers/runtime-spec/1/Process";

    // Something left in the background may hold the output open: without a byte for so long after the end of the command, it is not waited for.
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, byte[]> _specs = new();

    public async Task<int> RunAsync(string container, IReadOnlyList<string> command, ContainerStreams streams, CancellationToken cancellationToken)
    {
        var exec = NewId();
        var directory = Path.Combine(paths.Execs, exec);
        Directory.CreateDirectory(directory, ProcessMachine.OwnerOnly);
        try
        {
            var request = new ExecProcessRequest
            {
                ContainerId = container,
                ExecId = exec,
                Terminal = streams.Terminal,
                Stdin = streams.Input is null ? "" : Fifo("0"),
                // The shim wants both, or neither. A terminal has one output.
                Stdout = Fifo("1"),
                Stderr = streams.Terminal ? "" : Fifo("2"),
                Spec = new Any { TypeUrl = ProcessType, Value = ByteString.CopyFrom(await ProcessAsync(container, command, streams.Terminal, cancellationToken)) },
            };
            return await RunAsync(request, streams, cancellationToken);
        }
        catch (GrpcException e)
        {
            throw new RuntimeException(e.Status == GrpcStatus.NotFound ? RuntimeError.NotRunning : RuntimeError.Start, $"cannot run {command[0]}: {e.Message}", e);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }

        string Fifo(string name)
        {
            var path = Path.Combine(directory, name);
            Libc.Check(Libc.mkfifo(path, 0x180), $"make {path}");
            return path;
        }
    }

    private async Task<byte[]> ProcessAsync(string container, IReadOnlyList<string> command, bool terminal, CancellationToken cancellationToken)
    {
        if (!_specs.TryGetValue(container, out var spec))
        {
            spec = await client.ContainerSpecAsync(container, cancellationToken);
            const int Most = 64;   // probes by exec come again and again to the same containers
            if (_specs.Count >= Most)
                _specs.Clear();
            _specs[container] = spec;
        }
        return ExecProcess.Build(spec, command, terminal);
    }

    private async Task<int> RunAsync(ExecProcessRequest request, ContainerStreams streams, CancellationToken cancellationToken)
    {
        var (container, exec) = (request.ContainerId, request.ExecId);
        // Our ends first: the shim waits for a reader of what it writes.
        await using var output = new FdStream(loop, Open(request.Stdout, Libc.ORdonly));
        await using var error = request.Stderr.Length > 0 ? new FdStream(loop, Open(request.Stderr, Libc.ORdonly)) : null;
        try
        {
            await client.ExecAsync(request, cancellationToken);
            await client.StartExecAsync(container, exec, cancellationToken);
        }
        catch (Exception e) when (e is GrpcException or OperationCanceledException)
        {
            await ForgetAsync(container, exec, kill: true);
            throw;
        }

        using var ended = new CancellationTokenSource();
        var progress = new Progress(time);
        var receiving = Task.WhenAll(ReceiveAsync(output, streams.Output, progress), ReceiveAsync(error, streams.Error, progress));
        var sending = request.Stdin.Length == 0 ? Task.CompletedTask : SendAsync(streams.Input!, request, ended.Token);
        var resizing = ResizeAsync(streams.Resize, container, exec, ended.Token);
        try
        {
            var exit = await WaitAsync(container, exec, cancellationToken);
            await DrainAsync(receiving, progress);
            return exit;
        }
        finally
        {
            await ForgetAsync(container, exec, kill: cancellationToken.IsCancellationRequested);
            output.EndWhenDrained();
            error?.EndWhenDrained();
            await ended.CancelAsync();
            await Task.WhenAll(receiving, sending, resizing);
        }
    }

    private async Task<int> WaitAsync(string container, string exec, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await client.WaitAsync(container, exec, cancellationToken);
            }
            catch (GrpcException e) when (e.Status == GrpcStatus.Unavailable)
            {
                // containerd has died; the shim and the command have not.
                await Task.Delay(TimeSpan.FromMilliseconds(100), time, cancellationToken);
                await ready(cancellationToken);
            }
        }
    }

    // The shim copies on for a moment after the end, and a client may read slowly: all that was written arrives.
    private async Task DrainAsync(Task receiving, Progress progress)
    {
        while (!receiving.IsCompleted)
        {
            await Task.WhenAny(receiving, Task.Delay(Quiet, time));
            if (progress.IdleFor(time) >= Quiet)
                return;
        }
    }

    private async Task ForgetAsync(string container, string exec, bool kill)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10), time);
        try
        {
            if (kill)
            {
                await TryAsync(() => client.KillAsync(container, exec, Libc.SigKill, patience.Token));
                await TryAsync(() => client.WaitAsync(container, exec, patience.Token));
            }
            await TryAsync(() => client.DeleteExecAsync(container, exec, patience.Token));
        }
        catch (OperationCanceledException)
        {
            // It ends with its container at the latest.
        }

        static async Task TryAsync(Func<Task> call)
        {
            try
            {
                await call();
            }
            catch (GrpcException)
            {
                // Ended or gone already.
            }
        }
    }

    private async Task SendAsync(Stream from, ExecProcessRequest request, CancellationToken ended)
    {
        try
        {
            await using (var to = new FdStream(loop, await OpenForWriteAsync(request.Stdin, ended)))
                await from.CopyToAsync(to, 64 * 1024, ended);
            // The shim holds the FIFO open for others; it lets go now, and the command reads the end. A terminal would be hung up: its input has no end.
            if (!request.Terminal)
                await client.CloseInputAsync(request.ContainerId, request.ExecId, ended);
        }
        catch (Exception e) when (e is IOException or GrpcException or OperationCanceledException or ObjectDisposedException)
        {
            // The command has closed its input or ended, or the client is gone.
        }
    }

    // Without a reader an open for writing alone fails at once (ENXIO, fifo(7)): the shim opens its end in the background.
    private async Task<int> OpenForWriteAsync(string path, CancellationToken ended)
    {
        const int Enxio = 6;
        while (true)
        {
            var fd = Libc.open(path, Libc.OWronly | Libc.ONonblock | Libc.OCloexec, 0);
            if (fd >= 0)
                return fd;
            if (Libc.Errno != Enxio)
                throw Libc.Failure($"open {path}", Libc.Errno);
            await Task.Delay(TimeSpan.FromMilliseconds(1), time, ended);
        }
    }

    private static int Open(string path, int access) => Libc.Check(Libc.open(path, access | Libc.ONonblock | Libc.OCloexec, 0), $"open {path}");

    private async Task ReceiveAsync(FdStream? from, Stream? to, Progress progress)
    {
        if (from is null)
            return;
        var buffer = new byte[64 * 1024];
        var open = to is not null;
        int n;
        while ((n = await from.ReadAsync(buffer, CancellationToken.None)) > 0)
        {
            progress.Busy();
            try
            {
                if (open)
                {
                    await to!.WriteAsync(buffer.AsMemory(0, n), CancellationToken.None);
                    await to.FlushAsync(CancellationToken.None);
                }
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException)
            {
                open = false;   // read on, or the command would block on a client that is gone
            }
            finally
            {
                progress.Done(time);
            }
        }
    }

    private async Task ResizeAsync(IAsyncEnumerable<TerminalSize>? sizes, string container, string exec, CancellationToken ended)
    {
        if (sizes is null)
            return;
        try
        {
            await foreach (var size in sizes.WithCancellation(ended))
                await client.ResizeAsync(container, exec, size.Width, size.Height, ended);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or GrpcException or ObjectDisposedException)
        {
            // No more sizes, or no more terminal.
        }
    }

    private string NewId()
    {
        var bytes = new byte[16];
        lock (random)
            random.NextBytes(bytes);
        return Convert.ToHexStringLower(bytes);
    }

    /// <summary>When output last moved; not while it is being given to the client, however slow that is.</summary>
    private sealed class Progress(TimeProvider time)
    {
        private int _busy;
        private long _last = time.GetTimestamp();

        public void Busy() => Interlocked.Increment(ref _busy);

        public void Done(TimeProvider time)
        {
            Volatile.Write(ref _last, time.GetTimestamp());
            Interlocked.Decrement(ref _busy);
        }

        public TimeSpan IdleFor(TimeProvider time) => Volatile.Read(ref _busy) > 0 ? TimeSpan.Zero : time.GetElapsedTime(Volatile.Read(ref _last));
    }
}
