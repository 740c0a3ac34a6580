using Weft.Proxy.Tls;
using Weft.Proxy.Tls.Sessions;
using Weft.Proxy.Transport;

namespace Weft.Bench.Tls;

/// <summary>Two engines after their handshake.</summary>
internal sealed class EngineLink : IDisposable
{
    private readonly LibSslEngine _client;
    private readonly LibSslEngine _server;
    private readonly ByteQueue _wire;
    private readonly ByteQueue _text;

    public EngineLink(TlsClientContext client, TlsServerContext server, BufferPool pool, TlsSessionCache? sessions)
    {
        (_client, _server) = (client.Connect(pool, "a.example", sessions), server.Accept(pool));
        (_wire, _text) = (new(pool), new(pool));
        while (Carry(_client, _server) | Carry(_server, _client))
        {
        }

        if (_client.State != TlsState.Open || _server.State != TlsState.Open)
            throw new InvalidOperationException(_client.Error ?? _server.Error);
    }

    public void Echo(byte[] data)
    {
        Send(_client, _server, data);
        Send(_server, _client, data);
    }

    public void Dispose()
    {
        _client.Dispose();
        _server.Dispose();
        _wire.Dispose();
        _text.Dispose();
    }

    // In pieces of 64 KB, as a loop reads and writes.
    private void Send(LibSslEngine from, LibSslEngine to, ReadOnlySpan<byte> data)
    {
        for (; !data.IsEmpty; data = data[Math.Min(data.Length, 64 << 10)..])
        {
            from.Write(data[..Math.Min(data.Length, 64 << 10)], _wire);
            to.Feed(_wire.Span, _text);
            _wire.Clear();
            _text.Clear();
        }
    }

    private bool Carry(LibSslEngine from, LibSslEngine to)
    {
        from.Drain(_wire);
        if (_wire.IsEmpty)
            return false;
        to.Feed(_wire.Span, _text);
        _wire.Clear();
        return true;
    }
}
