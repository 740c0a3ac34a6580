using System.Net.Sockets;
using System.Text;
using Weft.Api.Streams;
using Weft.Node.Interop;

namespace Weft.Node.Runtime.Process;

/// <summary>
/// The attach socket of conmon: packets, from conmon with one leading byte that names the stream (2 output, 3 error), to conmon plain bytes.
/// </summary>
internal static class ConmonAttach
{
    private const byte Output = 2, Error = 3;

    // conmon reads and writes at most this much in a packet (STDIO_BUF_SIZE), one byte of it the stream's number.
    private const int PacketSize = 8192;

    public static async Task RunAsync(ContainerRecord record, ContainerStreams streams, CancellationToken cancellationToken)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(record.Directory, "attach")), cancellationToken);
        }
        catch (SocketException e)
        {
            throw new RuntimeException(RuntimeError.NotRunning, $"container '{record.Stored.Spec.Name}' has ended", e);
        }

        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var sending = streams.Input is null || !record.Stored.Spec.Stdin ? Task.CompletedTask : SendAsync(streams.Input, socket, ended.Token);
        var resizing = ResizeAsync(record.Directory, streams.Resize, ended.Token);
        try
        {
            await ReceiveAsync(socket, streams, cancellationToken);
        }
        finally
        {
            await ended.CancelAsync();
            await Task.WhenAll(sending, resizing);
        }
    }

    private static async Task ReceiveAsync(Socket socket, ContainerStreams streams, CancellationToken cancellationToken)
    {
        var packet = new byte[PacketSize];
        try
        {
            int n;
            while ((n = await socket.ReceiveAsync(packet, cancellationToken)) > 0)
            {
                var target = packet[0] switch { Output => streams.Output, Error => streams.Error, _ => null };
                if (target is null)
                    continue;
                await target.WriteAsync(packet.AsMemory(1, n - 1), cancellationToken);
                await target.FlushAsync(cancellationToken);
            }
        }
        catch (SocketException)
        {
            // conmon has ended: so has the container.
        }
    }

    private static async Task SendAsync(Stream from, Socket to, CancellationToken ended)
    {
        var buffer = new byte[PacketSize - 1];
        try
        {
            int n;
            while ((n = await from.ReadAsync(buffer, ended)) > 0)
                await to.SendAsync(buffer.AsMemory(0, n), ended);
            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The container or the client is gone.
        }
    }

    private static async Task ResizeAsync(string directory, IAsyncEnumerable<TerminalSize>? sizes, CancellationToken ended)
    {
        if (sizes is null)
            return;
        try
        {
            await foreach (var size in sizes.WithCancellation(ended))
                ConmonControl.Resize(directory, size.Width, size.Height);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ObjectDisposedException)
        {
            // No more sizes.
        }
    }
}

/// <summary>The control pipe of conmon: lines of `code height width`.</summary>
internal static class ConmonControl
{
    private const int WindowSize = 1, ReopenLog = 2;

    public static void Resize(string directory, ushort width, ushort height) => Send(directory, $"{WindowSize} {height} {width}\n");

    public static Task ReopenLogAsync(string directory)
    {
        Send(directory, $"{ReopenLog} 0 0\n");
        return Task.CompletedTask;
    }

    private static unsafe void Send(string directory, string line)
    {
        // Without O_NONBLOCK the open would wait for a conmon that has just ended.
        var fd = Libc.open(Path.Combine(directory, "ctl"), Libc.OWronly | Libc.ONonblock | Libc.OCloexec, 0);
        if (fd < 0)
            return;
        try
        {
            fixed (byte* p = Encoding.ASCII.GetBytes(line))
                _ = Libc.write(fd, p, (nuint)line.Length);
        }
        finally
        {
            _ = Libc.close(fd);
        }
    }
}
