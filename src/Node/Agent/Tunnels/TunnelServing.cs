using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Text.Json;
using System.Threading.Channels;
using Weft.Api.Streams;
using Weft.Api.Streams.Tunnels;

namespace Weft.Node.Agent.Tunnels;

/// <summary>One ordered stream on its own connection: between the socket's messages and the pod's streams.</summary>
internal sealed class TunnelServing(TunnelOrder order, TunnelSocket socket, IPodStreams streams)
{
    // How much input may wait for a process that does not read; then the connection stands still, and with it the client.
    private const int InputWaiting = 256 * 1024;

    private readonly Pipe _input = new(new PipeOptions(pauseWriterThreshold: InputWaiting, resumeWriterThreshold: InputWaiting / 2, useSynchronizationContext: false));
    private readonly Channel<TerminalSize> _sizes = Channel.CreateBounded<TerminalSize>(new BoundedChannelOptions(16) { FullMode = BoundedChannelFullMode.DropOldest });

    public async Task RunAsync(CancellationTokenSource stop)
    {
        // Only reading notices that the server has gone.
        var receiving = ReceiveAsync(stop);
        try
        {
            var result = await OutcomeAsync(stop.Token);
            if (result is not null)
                await socket.SendAsync(TunnelChannel.Result, result, TunnelJson.Default.TunnelResult, stop.Token);
            await socket.CloseAsync(stop.Token);
        }
        finally
        {
            await _input.Reader.CompleteAsync();
            // The server has read everything when it closes in turn; one that does not is left after a moment.
            stop.CancelAfter(TimeSpan.FromSeconds(5));
            await receiving;
        }
    }

    private async Task<TunnelResult?> OutcomeAsync(CancellationToken cancellationToken)
    {
        try
        {
            switch (order.Kind)
            {
                case TunnelKind.Logs:
                    await streams.LogsAsync(order.Target!, order.Logs ?? new LogOptions(), new TunnelOutput(socket, TunnelChannel.Output), cancellationToken);
                    return new TunnelResult(0);
                case TunnelKind.Exec:
                    return new TunnelResult(await streams.ExecAsync(order.Target!, order.Command, Ends(cancellationToken), cancellationToken));
                case TunnelKind.Attach:
                    await streams.AttachAsync(order.Target!, Ends(cancellationToken), cancellationToken);
                    return new TunnelResult(0);
                case TunnelKind.Usage:
                    // The server knows which node it asks; to the agent there is one.
                    await socket.SendAsync(TunnelChannel.Output, await streams.UsageAsync("", cancellationToken), TunnelJson.Default.NodeUsage, cancellationToken);
                    return new TunnelResult(0);
                case TunnelKind.Inspect:
                    await streams.InspectAsync("", order.Question ?? "", new TunnelOutput(socket, TunnelChannel.Output), cancellationToken);
                    return new TunnelResult(0);
                default:
                    await ForwardAsync(cancellationToken);
                    return null;
            }
        }
        catch (PodStreamException refused)
        {
            return new TunnelResult(-1) { Failure = refused.Error, Message = refused.Message };
        }
    }

    private ContainerStreams Ends(CancellationToken cancellationToken) => new(
        order.Input ? _input.Reader.AsStream() : null,
        order.Output ? new TunnelOutput(socket, TunnelChannel.Output) : null,
        order.Error ? new TunnelOutput(socket, TunnelChannel.Error) : null,
        order.Terminal,
        order.Terminal ? _sizes.Reader.ReadAllAsync(cancellationToken) : null);

    private async Task ForwardAsync(CancellationToken cancellationToken)
    {
        await using var pod = await streams.ConnectAsync(order.Target!, order.Port, cancellationToken);
        await socket.SendAsync(TunnelChannel.Result, new TunnelResult(0), TunnelJson.Default.TunnelResult, cancellationToken);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var up = UpAsync(pod, stop.Token);
        try
        {
            await pod.CopyToAsync(new TunnelOutput(socket, TunnelChannel.Output), cancellationToken);
        }
        catch (IOException)
        {
            // The pod reset the connection: the client sees its end.
        }

        await socket.SendAsync(TunnelChannel.EndOfOutput, ReadOnlyMemory<byte>.Empty, cancellationToken);
        await stop.CancelAsync();
        await up;
    }

    private async Task UpAsync(Stream pod, CancellationToken cancellationToken)
    {
        try
        {
            await _input.Reader.AsStream(leaveOpen: true).CopyToAsync(pod, cancellationToken);
            if (pod is NetworkStream connection)
                connection.Socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception gone) when (gone is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The other direction tells what there is to tell.
        }
    }

    private async Task ReceiveAsync(CancellationTokenSource stop)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(TunnelSocket.MaxData);
        try
        {
            while (await socket.ReceiveAsync(buffer, stop.Token) is { Length: > 0 } message)
            {
                switch ((TunnelChannel)message.Span[0])
                {
                    case TunnelChannel.Input:
                        // A process that has closed its input does not end the stream: the rest is read and dropped.
                        await _input.Writer.WriteAsync(message[1..], stop.Token);
                        break;
                    case TunnelChannel.EndOfInput:
                        await _input.Writer.CompleteAsync();
                        break;
                    case TunnelChannel.Resize:
                        _sizes.Writer.TryWrite(JsonSerializer.Deserialize(message.Span[1..], TunnelJson.Default.TerminalSize));
                        break;
                }
            }
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException or JsonException or InvalidOperationException)
        {
            // The server has gone, or sends what nobody understands.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            await _input.Writer.CompleteAsync();
            _sizes.Writer.TryComplete();
            await stop.CancelAsync();
        }
    }
}
