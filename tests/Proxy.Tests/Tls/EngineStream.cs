using System.Net.Sockets;
using Weft.Proxy.Tls;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Tests.Tls;

/// <summary>An engine on a blocking socket: the least shell that lets it speak to programs that are not ours.</summary>
internal sealed class EngineStream(LibSslEngine engine, Socket socket, BufferPool pool) : IDisposable
{
    private readonly byte[] _buffer = new byte[16 << 10];
    private readonly ByteQueue _out = new(pool);

    public LibSslEngine Engine => engine;

    public ByteQueue Plaintext { get; } = new(pool);

    public bool EndOfStream { get; private set; }

    /// <summary>One read of the socket.</summary>
    /// <returns>False: nothing comes any more.</returns>
    public bool Pump()
    {
        Flush();
        if (EndOfStream || engine.Error is not null || engine.PeerClosed)
            return false;
        int count;
        try
        {
            count = socket.Receive(_buffer);
        }
        catch (SocketException)
        {
            count = 0;
        }

        EndOfStream = count == 0;
        engine.Feed(_buffer.AsSpan(0, count), Plaintext);
        Flush();
        return count > 0;
    }

    public bool Handshake()
    {
        while (engine.State == TlsState.Handshaking && Pump())
        {
        }

        return engine.State == TlsState.Open;
    }

    /// <summary>Reads until as much has come, or nothing comes.</summary>
    public ReadOnlySpan<byte> ReadAtLeast(int count)
    {
        while (Plaintext.Length < count && Pump())
        {
        }

        return Plaintext.Span;
    }

    public void Write(ReadOnlySpan<byte> data)
    {
        engine.Write(data, _out);
        Flush();
    }

    public void Close()
    {
        engine.Close();
        Flush();
        try
        {
            socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // The peer was faster.
        }
    }

    public void Dispose()
    {
        engine.Dispose();
        socket.Dispose();
        _out.Dispose();
        Plaintext.Dispose();
    }

    private void Flush()
    {
        engine.Drain(_out);
        try
        {
            while (!_out.IsEmpty)
                _out.Consume(socket.Send(_out.Span));
        }
        catch (SocketException)
        {
            _out.Clear();
        }
    }
}

/// <summary>A socket pair over loopback.</summary>
internal static class Loopback
{
    public static Socket Listen()
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        listener.Listen(16);
        return listener;
    }

    public static int Port(this Socket socket) => ((System.Net.IPEndPoint)socket.LocalEndPoint!).Port;

    public static Socket Connect(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(System.Net.IPAddress.Loopback, port);
        return socket;
    }
}
