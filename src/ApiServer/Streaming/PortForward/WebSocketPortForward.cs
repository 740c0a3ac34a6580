using System.Buffers.Binary;
using System.Net.WebSockets;
using System.Text;
using Weft.Api.Streams;
using Weft.ApiServer.Streaming.WebSockets;

namespace Weft.ApiServer.Streaming.PortForward;

/// <summary>
/// The older WebSocket form, which client libraries use: the ports stand in the query, port number i has the data channel 2i and the error channel
/// 2i + 1, each begins with the port as two little-endian bytes, and each port is one connection.
/// </summary>
internal sealed class WebSocketPortForward(IPodStreams streams, PodStreamTarget target, TimeProvider time)
{
    public static readonly IReadOnlyList<string> Protocols = ["v4.channel.k8s.io", "v4.base64.channel.k8s.io"];

    /// <summary>Channel numbers are one byte, or one digit.</summary>
    public const int MaxPorts = 5;

    public async Task RunAsync(WebSocket socket, string protocol, IReadOnlyList<int> ports, CancellationToken cancellationToken)
    {
        await using var channels = new WebSocketChannels(
            socket, protocol.Contains("base64", StringComparison.Ordinal), closeSignals: false, [.. Enumerable.Range(0, ports.Count).Select(i => 2 * i)]);
        var reading = channels.RunAsync(cancellationToken);
        var forwarding = Enumerable.Range(0, ports.Count).Select(i => ForwardAsync(channels, i, ports[i])).ToList();
        await Task.WhenAny(reading, Task.WhenAll(forwarding));
        await channels.CloseAsync(WebSocketCloseStatus.NormalClosure, "");
        await channels.DisposeAsync();
        await Task.WhenAll(forwarding);
        await reading;
    }

    private async Task ForwardAsync(WebSocketChannels channels, int number, int port)
    {
        var (data, error) = ((byte)(2 * number), (byte)(2 * number + 1));
        var announcement = new byte[2];
        BinaryPrimitives.WriteUInt16LittleEndian(announcement, (ushort)port);
        try
        {
            await channels.SendAsync(data, announcement, channels.Closed);
            await channels.SendAsync(error, announcement, channels.Closed);
            await using var client = new TwoWay(channels.Incoming(data), channels.Outgoing(data));
            var failure = await PortForwardPump.RunAsync(streams, target, port, client, () => Task.CompletedTask, time, channels.Closed);
            if (failure is not null)
                await channels.SendAsync(error, Encoding.UTF8.GetBytes(failure), channels.Closed);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The client is gone.
        }
    }

    /// <summary>A stream that reads from one and writes to another.</summary>
    private sealed class TwoWay(Stream input, Stream output) : Stream
    {
        public override bool CanRead => true;
        public override bool CanWrite => true;
        public override bool CanSeek => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => input.ReadAsync(buffer, cancellationToken);

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => output.WriteAsync(buffer, cancellationToken);

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            input.ReadAsync(buffer, offset, count, cancellationToken);

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            output.WriteAsync(buffer, offset, count, cancellationToken);

        public override Task FlushAsync(CancellationToken cancellationToken) => output.FlushAsync(cancellationToken);

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("use ReadAsync");
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("use WriteAsync");
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
