using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Weft.Images.Sample;

/// <summary>TCP: a line `HOST SOURCE`, then every byte back. UDP: `HOST SOURCE `, then the datagram.</summary>
internal static class SocketEcho
{
    internal static async Task RunTcpAsync(int port, CancellationToken stopping)
    {
        using var listener = Sockets.Listen(port);
        try
        {
            while (true)
                _ = EchoAsync(await listener.AcceptAsync(stopping), stopping);
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
    }

    internal static async Task RunUdpAsync(int port, CancellationToken stopping)
    {
        using var socket = Sockets.Bind(SocketType.Dgram, ProtocolType.Udp, port);
        var buffer = new byte[64 * 1024];
        EndPoint any = new IPEndPoint(socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        while (true)
        {
            try
            {
                var received = await socket.ReceiveFromAsync(buffer, SocketFlags.None, any, stopping);
                byte[] answer = [.. Greeting(received.RemoteEndPoint), (byte)' ', .. buffer.AsSpan(0, received.ReceivedBytes)];
                await socket.SendToAsync(answer, received.RemoteEndPoint, stopping);
            }
            catch (SocketException)
            {
                // An answer that is too long, or a client that has gone and whose port was answered for; the next one counts.
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private static async Task EchoAsync(Socket socket, CancellationToken stopping)
    {
        using var _ = socket;
        socket.NoDelay = true;
        try
        {
            await using var stream = new NetworkStream(socket);
            await stream.WriteAsync((byte[])[.. Greeting(socket.RemoteEndPoint), (byte)'\n'], stopping);
            await stream.CopyToAsync(stream, stopping);
        }
        catch (Exception gone) when (gone is IOException or SocketException or OperationCanceledException)
        {
            // The client has gone, or we go.
        }
    }

    private static byte[] Greeting(EndPoint? source) => Encoding.ASCII.GetBytes($"{Environment.MachineName} {Sockets.Plain(source)}");
}
