using System.Net;
using System.Net.Sockets;
using Weft.Proxy.Dns.Wire;

namespace Weft.Proxy.Dns.Server;

/// <summary>
/// Answers queries over UDP on threads of its own, one for each core: receive, answer, send. The cluster's names take neither another thread nor memory;
/// what must be asked elsewhere goes on as a task.
/// </summary>
internal sealed class UdpListener(Socket socket, Responder responder, DnsCounters counters)
{
    /// <summary>Answers that wait for other servers. Beyond it a question gets none, and its client asks again.</summary>
    private const int MaxWaiting = 4096;

    private volatile bool _stopping;
    private int _waiting;

    public void Start(int threads)
    {
        for (var i = 0; i < threads; i++)
            new Thread(Run) { IsBackground = true, Name = "dns-udp-" + i }.Start();
    }

    /// <summary>The threads end within a second.</summary>
    public void Stop() => _stopping = true;

    private void Run()
    {
        var held = false;
        socket.SafeHandle.DangerousAddRef(ref held); // its number must not become another's while this thread may read from it
        try
        {
            Answer((int)socket.SafeHandle.DangerousGetHandle());
        }
        finally
        {
            socket.SafeHandle.DangerousRelease();
        }
    }

    private void Answer(int descriptor)
    {
        var query = new byte[DnsLimits.MaxMessage];
        var answer = new byte[DnsLimits.EdnsUdp];
        var peer = new SocketAddress(socket.AddressFamily);
        uint turn = 0;
        while (!_stopping && UdpReceive.Wait(descriptor))
        {
            while (!_stopping && UdpReceive.TryReceive(descriptor, query, peer, out var length))
            {
                var written = responder.Respond(query.AsSpan(0, length), answer, isTcp: false, turn++, AddressOf(peer));
                if (written > 0)
                    Send(answer.AsSpan(0, written), peer);
                else if (written == Responder.Later)
                    Later(query.AsSpan(0, length).ToArray(), peer);
            }
        }
    }

    // struct sockaddr_in and sockaddr_in6: behind family and port, and the latter's flow.
    private static ReadOnlySpan<byte> AddressOf(SocketAddress peer) => peer.Family switch
    {
        AddressFamily.InterNetwork => peer.Buffer.Span.Slice(4, 4),
        AddressFamily.InterNetworkV6 => peer.Buffer.Span.Slice(8, 16),
        _ => [],
    };

    private void Later(byte[] query, SocketAddress peer)
    {
        if (Interlocked.Increment(ref _waiting) > MaxWaiting)
        {
            Interlocked.Decrement(ref _waiting);
            counters.CountDropped();
            return;
        }

        var copy = new SocketAddress(peer.Family, peer.Size);
        peer.Buffer.Span[..peer.Size].CopyTo(copy.Buffer.Span);
        _ = AnswerAsync(query, copy);
    }

    private async Task AnswerAsync(byte[] query, SocketAddress peer)
    {
        try
        {
            var answer = new byte[DnsLimits.EdnsUdp];
            var written = await responder.RespondLaterAsync(query, answer, isTcp: false);
            Send(answer.AsSpan(0, written), peer);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    private void Send(ReadOnlySpan<byte> answer, SocketAddress peer)
    {
        try
        {
            socket.SendTo(answer, SocketFlags.None, peer);
        }
        catch (Exception gone) when (gone is SocketException or ObjectDisposedException)
        {
            counters.CountDropped(); // the way to the client is gone, or its buffer full: it will ask again
        }
    }
}
