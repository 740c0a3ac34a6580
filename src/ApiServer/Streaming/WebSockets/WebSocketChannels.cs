using System.Buffers;
using System.Buffers.Text;
using System.IO.Pipelines;
using System.Net.WebSockets;
using Weft.ApiServer.Streaming.Spdy;

namespace Weft.ApiServer.Streaming.WebSockets;

/// <summary>
/// Several byte streams in one WebSocket, as Kubernetes does it: the first byte of a message is the number of the channel (in the base64 protocols a digit,
/// and the rest is base64 text). In v5 the message 255, n says that the client will send nothing more on channel n.
/// </summary>
internal sealed class WebSocketChannels : IAsyncDisposable
{
    private const byte CloseSignal = 255;

    // A base64 message must be whole before it can be decoded; clients send at most 32 KB at a time.
    private const int MaxTextMessage = 1024 * 1024;
    private const int MaxSend = 32 * 1024;

    private readonly WebSocket _socket;
    private readonly bool _base64;
    private readonly bool _closeSignals;
    private readonly Pipe?[] _incoming;
    private readonly bool[] _ended; // by the client's close signal: what it sends later is dropped
    private readonly SemaphoreSlim _sendTurn = new(1, 1);
    private readonly CancellationTokenSource _closed = new();

    /// <param name="incoming">Numbers of the channels that the client may write to.</param>
    public WebSocketChannels(WebSocket socket, bool base64, bool closeSignals, params int[] incoming)
    {
        _socket = socket;
        _base64 = base64;
        _closeSignals = closeSignals;
        _incoming = new Pipe?[incoming.Length == 0 ? 0 : incoming.Max() + 1];
        _ended = new bool[_incoming.Length];
        foreach (var channel in incoming)
            _incoming[channel] = new Pipe(new PipeOptions(pauseWriterThreshold: SpdyLimits.StreamBuffer, resumeWriterThreshold: SpdyLimits.StreamBuffer / 2, useSynchronizationContext: false));
    }

    /// <summary>Cancelled when the client has closed or is gone.</summary>
    public CancellationToken Closed => _closed.Token;

    /// <summary>What the client writes to a channel; ends with its close signal or with the connection.</summary>
    public Stream Incoming(int channel) => _incoming[channel]!.Reader.AsStream();

    public Stream Outgoing(int channel) => new ChannelStream(this, (byte)channel);

    /// <summary>Reads until the client closes or is gone.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _closed.Token);
        var buffer = new byte[MaxSend];
        Exception? end = new IOException("the client has closed the WebSocket");
        try
        {
            if (_base64)
                await ReadTextAsync(buffer, stop.Token);
            else
                await ReadBinaryAsync(buffer, stop.Token);
        }
        catch (Exception e) when (e is WebSocketException or IOException or OperationCanceledException or FormatException or ObjectDisposedException)
        {
            end = new IOException("the WebSocket has ended: " + e.Message);
        }
        finally
        {
            // Whoever reads input must not take a lost client for the end of its input.
            foreach (var pipe in _incoming)
            {
                if (pipe is not null)
                    await pipe.Writer.CompleteAsync(end);
            }

            await _closed.CancelAsync();
        }
    }

    public async Task SendAsync(byte channel, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        // An empty message is sent as such: the first one tells a client that its command has started.
        do
        {
            var piece = data[..Math.Min(data.Length, MaxSend)];
            data = data[piece.Length..];
            var frame = ArrayPool<byte>.Shared.Rent(1 + (_base64 ? Base64.GetMaxEncodedToUtf8Length(piece.Length) : piece.Length));
            try
            {
                var length = Write(frame, channel, piece.Span);
                await SendAsync(frame.AsMemory(0, length), cancellationToken);
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(frame);
            }
        }
        while (data.Length > 0);
    }

    /// <summary>Says goodbye; <see cref="RunAsync"/> ends when the client has answered.</summary>
    public async Task CloseAsync(WebSocketCloseStatus status, string reason)
    {
        await _sendTurn.WaitAsync();
        try
        {
            if (_socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
                await _socket.CloseOutputAsync(status, reason, _closed.Token);
        }
        catch (Exception e) when (e is WebSocketException or IOException or OperationCanceledException or ObjectDisposedException)
        {
            // Gone already.
        }
        finally
        {
            _sendTurn.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _closed.CancelAsync();
        foreach (var pipe in _incoming)
        {
            if (pipe is not null)
                await pipe.Reader.CompleteAsync();
        }

        _socket.Dispose();
    }

    private int Write(byte[] frame, byte channel, ReadOnlySpan<byte> piece)
    {
        if (!_base64)
        {
            frame[0] = channel;
            piece.CopyTo(frame.AsSpan(1));
            return 1 + piece.Length;
        }

        frame[0] = (byte)('0' + channel);
        Base64.EncodeToUtf8(piece, frame.AsSpan(1), out _, out var written);
        return 1 + written;
    }

    private async Task SendAsync(ReadOnlyMemory<byte> frame, CancellationToken cancellationToken)
    {
        await _sendTurn.WaitAsync(cancellationToken);
        try
        {
            // The socket is useless after half a message: only the end of the session cancels a send.
            await _socket.SendAsync(frame, _base64 ? WebSocketMessageType.Text : WebSocketMessageType.Binary, endOfMessage: true, _closed.Token);
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or ObjectDisposedException)
        {
            throw new IOException("the client has gone", e);
        }
        finally
        {
            _sendTurn.Release();
        }
    }

    private async Task ReadBinaryAsync(byte[] buffer, CancellationToken cancellationToken)
    {
        var channel = -1; // of the message that is being read
        while (true)
        {
            var result = await _socket.ReceiveAsync(buffer.AsMemory(), cancellationToken);
            if (result.MessageType == WebSocketMessageType.Close)
                return;
            var piece = buffer.AsMemory(0, result.Count);
            if (channel < 0 && piece.Length > 0)
            {
                channel = piece.Span[0];
                piece = piece[1..];
            }

            if (channel == CloseSignal && _closeSignals)
            {
                if (piece.Length > 0 && PipeOf(piece.Span[0]) is { } ended)
                {
                    _ended[piece.Span[0]] = true;
                    await ended.Writer.CompleteAsync();
                }
            }
            else if (channel >= 0)
            {
                await DeliverAsync(channel, piece, cancellationToken);
            }

            if (result.EndOfMessage)
                channel = -1;
        }
    }

    private async Task ReadTextAsync(byte[] buffer, CancellationToken cancellationToken)
    {
        var message = new ArrayBufferWriter<byte>();
        while (true)
        {
            var result = await _socket.ReceiveAsync(buffer.AsMemory(), cancellationToken);
            if (result.MessageType == WebSocketMessageType.Close)
                return;
            if (message.WrittenCount + result.Count > MaxTextMessage)
            {
                await CloseAsync(WebSocketCloseStatus.MessageTooBig, $"at most {MaxTextMessage} bytes in a message");
                return;
            }

            message.Write(buffer.AsSpan(0, result.Count));
            if (!result.EndOfMessage)
                continue;
            if (message.WrittenCount > 0)
                await DeliverAsync(message.WrittenSpan[0] - '0', Decode(message.WrittenSpan[1..]), cancellationToken);
            message.ResetWrittenCount();
        }
    }

    private static byte[] Decode(ReadOnlySpan<byte> text)
    {
        var bytes = new byte[Base64.GetMaxDecodedFromUtf8Length(text.Length)];
        return Base64.DecodeFromUtf8(text, bytes, out _, out var written) == OperationStatus.Done
            ? bytes[..written]
            : throw new FormatException("a message of the base64 protocol is not base64");
    }

    private async ValueTask DeliverAsync(int channel, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        // What comes for a channel that takes no input, or whose reader has left, is dropped.
        if (bytes.Length > 0 && PipeOf(channel) is { } pipe)
            await pipe.Writer.WriteAsync(bytes, cancellationToken);
    }

    private Pipe? PipeOf(int channel) => channel >= 0 && channel < _incoming.Length && !_ended[channel] ? _incoming[channel] : null;

    /// <summary>Writes to one channel.</summary>
    private sealed class ChannelStream(WebSocketChannels channels, byte channel) : Stream
    {
        public override bool CanRead => false;
        public override bool CanWrite => true;
        public override bool CanSeek => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (buffer.Length > 0)
                await channels.SendAsync(channel, buffer, cancellationToken);
        }

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask; // every write is sent at once

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("use WriteAsync");
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
