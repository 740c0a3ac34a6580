using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Weft.Proxy.Dns.Wire;

namespace Weft.Proxy.Dns.Server;

/// <summary>Answers queries over TCP (RFC 7766): several on a connection, answered as they are ready. Idle and surplus connections are closed.</summary>
internal sealed class TcpListener(Socket socket, Responder responder, TimeProvider time)
{
    /// <summary>TCP is for the few answers that are too long for UDP.</summary>
    private const int MaxConnections = 256;

    /// <summary>Questions of one connection that are being answered; the next is read when one is.</summary>
    private const int MaxPipelined = 32;

    // RFC 7766 section 6.2.3 asks for seconds; the clients are on this machine.
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan AcceptPause = TimeSpan.FromMilliseconds(100);

    private int _connections;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            Socket connection;
            try
            {
                connection = await socket.AcceptAsync(cancellationToken);
            }
            catch (Exception ended) when (ended is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException)
            {
                // Out of descriptors, or a connection that went before it was taken.
                await Task.Delay(AcceptPause, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                continue;
            }

            if (Interlocked.Increment(ref _connections) > MaxConnections)
            {
                connection.Dispose();
                Interlocked.Decrement(ref _connections);
                continue;
            }

            _ = ServeAsync(connection, cancellationToken);
        }
    }

    private async Task ServeAsync(Socket connection, CancellationToken stopping)
    {
        using var turn = new SemaphoreSlim(1); // one answer after the other onto the wire
        using var slots = new SemaphoreSlim(MaxPipelined);
        try
        {
            connection.NoDelay = true;
            var client = (connection.RemoteEndPoint as IPEndPoint)?.Address.GetAddressBytes() ?? [];
            await using var stream = new NetworkStream(connection, ownsSocket: true);
            var header = new byte[2];
            while (true)
            {
                using var idle = new CancellationTokenSource(Idle, time);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(idle.Token, stopping);
                await stream.ReadExactlyAsync(header, either.Token);
                var query = new byte[BinaryPrimitives.ReadUInt16BigEndian(header)];
                await stream.ReadExactlyAsync(query, either.Token);
                await slots.WaitAsync(either.Token);
                _ = AnswerAsync(stream, query, client, turn, slots, stopping);
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or IOException or SocketException or EndOfStreamException or ObjectDisposedException)
        {
            connection.Dispose();
        }
        finally
        {
            // Those still being answered hold the semaphores.
            for (var i = 0; i < MaxPipelined; i++)
                await slots.WaitAsync(CancellationToken.None);
            Interlocked.Decrement(ref _connections);
        }
    }

    private async Task AnswerAsync(NetworkStream stream, byte[] query, byte[] client, SemaphoreSlim turn, SemaphoreSlim slots, CancellationToken stopping)
    {
        try
        {
            var framed = new byte[2 + DnsLimits.MaxMessage];
            var length = responder.Respond(query, framed.AsSpan(2), isTcp: true, (uint)Environment.TickCount, client);
            if (length == Responder.Later)
                length = await responder.RespondLaterAsync(query, framed.AsMemory(2), isTcp: true);
            if (length <= 0)
                return;
            BinaryPrimitives.WriteUInt16BigEndian(framed, (ushort)length);
            using var patience = new CancellationTokenSource(Idle, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, stopping);
            await turn.WaitAsync(either.Token);
            try
            {
                await stream.WriteAsync(framed.AsMemory(0, 2 + length), either.Token);
            }
            finally
            {
                turn.Release();
            }
        }
        catch (Exception gone) when (gone is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // A client that does not take its answers: nothing half-sent may be followed by another.
            await stream.DisposeAsync();
        }
        finally
        {
            slots.Release();
        }
    }
}
