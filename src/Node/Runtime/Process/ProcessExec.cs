using System.Net.Sockets;
using Weft.Api.Streams;
using Weft.Node.Interop;

namespace Weft.Node.Runtime.Process;

/// <summary>
/// Commands in a running container, by `crun exec`. Without a terminal the command gets pipes whose other ends are ours, so bytes are exact and
/// end-of-file is end-of-file; with one, crun hands us the terminal's master over a socket.
/// </summary>
internal sealed class ProcessExec(Programs programs, EventLoop loop)
{
    public async Task<int> RunAsync(ContainerRecord record, IReadOnlyList<string> command, ContainerStreams streams, string execId, int oomScoreAdjust, CancellationToken cancellationToken)
    {
        if (command.Count == 0)
            throw new RuntimeException(RuntimeError.Start, "no command given");

        var prefix = Path.Combine(record.Directory, "x" + execId);
        var (process, log, pidFile, console) = (prefix + ".json", prefix + ".log", prefix + ".pid", prefix + ".tty");
        await File.WriteAllTextAsync(process, Bundle.Process(record.Stored.Spec, command, streams.Terminal, oomScoreAdjust).ToJsonString(), cancellationToken);
        List<string> arguments = ["--log=" + log, "--log-format=json", "exec", "--process=" + process, "--pid-file=" + pidFile];
        try
        {
            var exit = streams.Terminal
                ? await WithTerminalAsync([.. arguments, "--console-socket=" + console, record.Id], console, pidFile, streams, cancellationToken)
                : await WithPipesAsync([.. arguments, record.Id], pidFile, streams, cancellationToken);
            cancellationToken.ThrowIfCancellationRequested();
            if (exit != 0 && File.Exists(log) && CrunLog.Clean(await File.ReadAllTextAsync(log, CancellationToken.None)) is { Length: > 0 } reason)
                throw new RuntimeException(RuntimeError.Start, $"cannot run {command[0]}: {reason}");
            return exit;
        }
        finally
        {
            foreach (var file in new[] { process, log, pidFile, console })
                File.Delete(file);
        }
    }

    private async Task<int> WithPipesAsync(List<string> arguments, string pidFile, ContainerStreams streams, CancellationToken cancellationToken)
    {
        var childs = new List<int>();
        var (input, output, error) = ((FdStream?)null, (FdStream?)null, (FdStream?)null);
        var none = Libc.Check(Libc.open("/dev/null", Libc.ORdwr | Libc.OCloexec, 0), "open /dev/null");
        childs.Add(none);
        try
        {
            var descriptors = new List<(int, int)>
            {
                (streams.Input is null ? none : ForChild(out input, reads: true), 0),
                (streams.Output is null ? none : ForChild(out output, reads: false), 1),
                (streams.Error is null ? none : ForChild(out error, reads: false), 2),
            };
            var pid = await programs.SpawnCrunAsync(arguments, descriptors);
            CloseChilds();

            using var ended = new CancellationTokenSource();
            var sending = input is null ? Task.CompletedTask : SendAsync(streams.Input!, input, ended.Token);
            var receiving = Task.WhenAll(ReceiveAsync(output, streams.Output), ReceiveAsync(error, streams.Error));
            var exit = await ReapOrKillAsync(pid, pidFile, cancellationToken);
            // What the command wrote is in the pipes now. Something it left in the background may hold them open: not waited for.
            output?.EndWhenDrained();
            error?.EndWhenDrained();
            await ended.CancelAsync();
            await receiving;
            await sending;
            return exit;
        }
        finally
        {
            CloseChilds();
            foreach (var stream in new[] { input, output, error })
            {
                if (stream is not null)
                    await stream.DisposeAsync();
            }
        }

        int ForChild(out FdStream? ours, bool reads)
        {
            var (read, write) = Child.Pipe();
            childs.Add(reads ? read : write);
            ours = new FdStream(loop, reads ? write : read);
            return reads ? read : write;
        }

        void CloseChilds()
        {
            foreach (var fd in childs)
                _ = Libc.close(fd);
            childs.Clear();
        }
    }

    private async Task<int> WithTerminalAsync(List<string> arguments, string console, string pidFile, ContainerStreams streams, CancellationToken cancellationToken)
    {
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(console));
        listener.Listen(1);
        int pid;
        var none = Libc.Check(Libc.open("/dev/null", Libc.ORdwr | Libc.OCloexec, 0), "open /dev/null");
        try
        {
            pid = await programs.SpawnCrunAsync(arguments, [(none, 0), (none, 1), (none, 2)]);
        }
        finally
        {
            _ = Libc.close(none);
        }

        var reaping = ReapOrKillAsync(pid, pidFile, cancellationToken);
        var accepting = listener.AcceptAsync(CancellationToken.None).AsTask();
        if (await Task.WhenAny(reaping, accepting) == reaping && !accepting.IsCompleted)
            return await reaping;   // it failed before there was a terminal

        using var connection = await accepting;
        await using var reader = new FdStream(loop, await DescriptorPassing.ReceiveAsync(connection));
        await using var writer = reader.Duplicate();
        using var ended = new CancellationTokenSource();
        var resizing = ResizeAsync(reader.Descriptor, streams.Resize, ended.Token);
        var sending = streams.Input is null ? Task.CompletedTask : SendAsync(streams.Input, writer, ended.Token);
        var receiving = ReceiveAsync(reader, streams.Output);
        var exit = await reaping;
        reader.EndWhenDrained();
        await ended.CancelAsync();
        await Task.WhenAll(receiving, sending, resizing);
        return exit;
    }

    // The command runs in the container, crun only waits for it: both are ended when the caller gives up.
    private async Task<int> ReapOrKillAsync(int pid, string pidFile, CancellationToken cancellationToken)
    {
        await using var registration = cancellationToken.UnsafeRegister(_ =>
        {
            if (File.Exists(pidFile) && int.TryParse(File.ReadAllText(pidFile), out var inner) && inner > 0)
                _ = Libc.kill(inner, Libc.SigKill);
            else
                _ = Libc.kill(pid, Libc.SigKill);
        }, null);
        return await Child.ReapAsync(loop, pid, CancellationToken.None);
    }

    internal static async Task SendAsync(Stream from, FdStream to, CancellationToken ended)
    {
        try
        {
            await from.CopyToAsync(to, 64 * 1024, ended);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The command has closed its input or ended, or the client is gone.
        }
        finally
        {
            await to.DisposeAsync();
        }
    }

    internal static async Task ReceiveAsync(FdStream? from, Stream? to)
    {
        if (from is null || to is null)
            return;
        var buffer = new byte[64 * 1024];
        var open = true;
        int n;
        while ((n = await from.ReadAsync(buffer, CancellationToken.None)) > 0)
        {
            if (!open)
                continue;   // read on, or the command would block on a client that is gone
            try
            {
                await to.WriteAsync(buffer.AsMemory(0, n), CancellationToken.None);
                await to.FlushAsync(CancellationToken.None);
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException)
            {
                open = false;
            }
        }
    }

    private static async Task ResizeAsync(int terminal, IAsyncEnumerable<TerminalSize>? sizes, CancellationToken ended)
    {
        if (sizes is null)
            return;
        try
        {
            await foreach (var size in sizes.WithCancellation(ended))
                DescriptorPassing.SetTerminalSize(terminal, size.Width, size.Height);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ObjectDisposedException)
        {
            // No more sizes.
        }
    }
}
