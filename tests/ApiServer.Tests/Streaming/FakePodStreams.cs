using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Weft.Api.Streams;

namespace Weft.ApiServer.Tests.Streaming;

/// <summary>A node whose containers know a few commands.</summary>
internal sealed class FakePodStreams : IPodStreams
{
    private readonly TaskCompletionSource _cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _hanging = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Hanging => _hanging.Task;
    public Task Cancelled => _cancelled.Task;
    public PodStreamTarget? LastTarget { get; private set; }
    public IReadOnlyList<string> LastCommand { get; private set; } = [];
    public ContainerStreams? LastStreams { get; private set; }
    public long Written;

    public Task LogsAsync(PodStreamTarget target, LogOptions options, Stream output, CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task<int> ExecAsync(PodStreamTarget target, IReadOnlyList<string> command, ContainerStreams streams, CancellationToken cancellationToken)
    {
        (LastTarget, LastCommand, LastStreams) = (target, command, streams);
        switch (command[0])
        {
            case "cat":
                await streams.Input!.CopyToAsync(streams.Output!, cancellationToken);
                return 0;
            case "sha256":
                await SayAsync(streams.Output!, Convert.ToHexStringLower(await SHA256.HashDataAsync(streams.Input!, cancellationToken)) + "\n", cancellationToken);
                return 0;
            case "both":
                await SayAsync(streams.Output!, "to output\n", cancellationToken);
                await SayAsync(streams.Error!, "to error\n", cancellationToken);
                return 0;
            case "exit":
                return int.Parse(command[1]);
            case "flood":
                var block = new byte[64 * 1024];
                for (var left = long.Parse(command[1]); left > 0; left -= block.Length)
                {
                    await streams.Output!.WriteAsync(block, cancellationToken);
                    Interlocked.Add(ref Written, block.Length);
                }

                return 0;
            case "head":
                await SayAsync(streams.Output!, "first\n", cancellationToken);
                return 0;
            case "size":
                await foreach (var size in streams.Resize!.WithCancellation(cancellationToken))
                {
                    await SayAsync(streams.Output!, $"{size.Width}x{size.Height}\n", cancellationToken);
                    break;
                }

                return 0;
            case "hang":
                _hanging.TrySetResult();
                try
                {
                    await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
                }
                finally
                {
                    _cancelled.TrySetResult();
                }

                return 0;
            case "broken":
                throw new InvalidOperationException("the runtime fell over");
            default:
                throw new PodStreamException(PodStreamError.StartFailed, $"exec: \"{command[0]}\": executable file not found in $PATH");
        }
    }

    public async Task AttachAsync(PodStreamTarget target, ContainerStreams streams, CancellationToken cancellationToken)
    {
        (LastTarget, LastStreams) = (target, streams);
        await SayAsync(streams.Output!, "attached\n", cancellationToken);
        if (streams.Input is not null)
            await streams.Input.CopyToAsync(streams.Output!, cancellationToken);
    }

    /// <summary>Ports of the pod are ports of the loopback.</summary>
    public async Task<Stream> ConnectAsync(PodStreamTarget target, int port, CancellationToken cancellationToken)
    {
        LastTarget = target;
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(System.Net.IPAddress.Loopback, port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new PodStreamException(PodStreamError.ConnectFailed, $"nothing listens on port {port}: {e.Message}");
        }
    }

    private static async Task SayAsync(Stream to, string text, CancellationToken cancellationToken) => await to.WriteAsync(Encoding.UTF8.GetBytes(text), cancellationToken);
}
