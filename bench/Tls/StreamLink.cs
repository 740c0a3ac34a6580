using System.IO.Pipelines;
using System.Net.Security;

namespace Weft.Bench.Tls;

/// <summary>Two SslStreams over pipes in memory, after their handshake.</summary>
internal sealed class StreamLink : IAsyncDisposable
{
    private static readonly PipeOptions Unbounded = new(pauseWriterThreshold: 0, readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline, useSynchronizationContext: false);
    private readonly SslStream _client;
    private readonly SslStream _server;
    private readonly byte[] _buffer = new byte[64 << 10];

    private StreamLink(SslStream client, SslStream server) => (_client, _server) = (client, server);

    public static async Task<StreamLink> ConnectAsync(SslClientAuthenticationOptions clientOptions, SslServerAuthenticationOptions serverOptions)
    {
        var (up, down) = (new Pipe(Unbounded), new Pipe(Unbounded));
        var link = new StreamLink(new SslStream(new Duplex(down.Reader, up.Writer)), new SslStream(new Duplex(up.Reader, down.Writer)));
        await Task.WhenAll(link._server.AuthenticateAsServerAsync(serverOptions), link._client.AuthenticateAsClientAsync(clientOptions));
        return link;
    }

    public async ValueTask EchoAsync(byte[] data)
    {
        await SendAsync(_client, _server, data);
        await SendAsync(_server, _client, data);
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _server.DisposeAsync();
    }

    private async ValueTask SendAsync(SslStream from, SslStream to, byte[] data)
    {
        for (var at = 0; at < data.Length;)
        {
            var count = Math.Min(data.Length - at, 64 << 10);
            await from.WriteAsync(data.AsMemory(at, count));
            await to.ReadExactlyAsync(_buffer.AsMemory(0, count));
            at += count;
        }
    }

    private sealed class Duplex(PipeReader reader, PipeWriter writer) : Stream
    {
        private readonly Stream _in = reader.AsStream();
        private readonly Stream _out = writer.AsStream();

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => true;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => _in.ReadAsync(buffer, cancellationToken);
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => _out.WriteAsync(buffer, cancellationToken);
        public override Task FlushAsync(CancellationToken cancellationToken) => _out.FlushAsync(cancellationToken);
        public override void Flush() => _out.Flush();
        public override int Read(byte[] buffer, int offset, int count) => _in.Read(buffer, offset, count);
        public override void Write(byte[] buffer, int offset, int count) => _out.Write(buffer, offset, count);
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
