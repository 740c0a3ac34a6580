using System.Buffers;
using System.Text.Json;
using Weft.Api.Streams;
using Weft.Api.Streams.Tunnels;

namespace Weft.ApiServer.Nodes;

/// <summary>The server's end of one stream of another node.</summary>
internal sealed class OrderedStream(TunnelOrder order, TunnelSocket socket, TunnelSocket orders, TaskCompletionSource over) : IAsyncDisposable
{
    private static readonly TimeSpan Goodbye = TimeSpan.FromSeconds(2);
    private bool _finished;

    internal TunnelSocket Socket => socket;

    /// <summary>Copies what the node sends until it tells the outcome.</summary>
    /// <exception cref="PodStreamException">The outcome is a failure.</exception>
    internal async Task<int> ReceiveAsync(Stream? output, Stream? error, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(TunnelSocket.MaxData);
        try
        {
            while (await socket.ReceiveAsync(buffer, cancellationToken) is { Length: > 0 } message)
            {
                switch ((TunnelChannel)message.Span[0])
                {
                    case TunnelChannel.Output when output is not null:
                        await output.WriteAsync(message[1..], cancellationToken);
                        if (order.Kind is TunnelKind.Logs or TunnelKind.Inspect)
                            await output.FlushAsync(cancellationToken);
                        break;
                    case TunnelChannel.Error when error is not null:
                        await error.WriteAsync(message[1..], cancellationToken);
                        break;
                    case TunnelChannel.Result:
                        _finished = order.Kind != TunnelKind.Connect;
                        var result = JsonSerializer.Deserialize(message.Span[1..], TunnelJson.Default.TunnelResult)!;
                        return result.Failure is { } failure ? throw new PodStreamException(failure, result.Message ?? "") : result.ExitCode;
                }
            }
        }
        catch (JsonException broken)
        {
            throw new IOException("the node's answer is no JSON", broken);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        throw new IOException("the node ended the stream without telling its outcome: its agent may have stopped");
    }

    internal async Task SendInputAsync(Stream? input, CancellationToken cancellationToken)
    {
        if (input is null)
            return;
        var buffer = ArrayPool<byte>.Shared.Rent(TunnelSocket.MaxData - 1);
        try
        {
            int count;
            while ((count = await input.ReadAsync(buffer, cancellationToken)) > 0)
                await socket.SendAsync(TunnelChannel.Input, buffer.AsMemory(0, count), cancellationToken);
            await socket.SendAsync(TunnelChannel.EndOfInput, ReadOnlyMemory<byte>.Empty, cancellationToken);
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // Client or node is gone; whoever receives tells it.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    internal async Task SendSizesAsync(IAsyncEnumerable<TerminalSize>? sizes, CancellationToken cancellationToken)
    {
        if (sizes is null)
            return;
        try
        {
            await foreach (var size in sizes.WithCancellation(cancellationToken))
                await socket.SendAsync(TunnelChannel.Resize, size, TunnelJson.Default.TerminalSize, cancellationToken);
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // As above.
        }
    }

    public async ValueTask DisposeAsync()
    {
        using var limit = new CancellationTokenSource(Goodbye);
        if (!_finished)
        {
            try
            {
                // Told on the other connection: a node whose process does not read its input would not see the end of this one.
                await orders.SendTextAsync(new TunnelOrder(order.Id, TunnelKind.Cancel), TunnelJson.Default.TunnelOrder, limit.Token);
            }
            catch (Exception gone) when (gone is IOException or OperationCanceledException or ObjectDisposedException)
            {
                // A node that is not connected has ended its streams by itself.
            }
        }

        await socket.CloseAsync(limit.Token);
        socket.Abort();
        socket.Dispose();
        over.TrySetResult();
    }
}
