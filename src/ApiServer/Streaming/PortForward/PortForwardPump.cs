using System.Net.Sockets;
using Weft.Api.Streams;
using Weft.Api.Streams.Tunnels;

namespace Weft.ApiServer.Streaming.PortForward;

/// <summary>One forwarded connection: bytes both ways between a client's stream and a port of the pod.</summary>
internal static class PortForwardPump
{
    // When the pod has closed, a client that neither sends nor closes is not waited for longer.
    private static readonly TimeSpan AfterPodClosed = TimeSpan.FromSeconds(10);

    /// <returns>What went wrong, for the client's error stream; null when nothing did.</returns>
    public static async Task<string?> RunAsync(
        IPodStreams streams, PodStreamTarget target, int port, Stream client, Func<Task> closeClientOutput, TimeProvider time, CancellationToken cancellationToken)
    {
        Stream pod;
        try
        {
            pod = await streams.ConnectAsync(target, port, cancellationToken);
        }
        catch (Exception e) when (e is PodStreamException or IOException or SocketException)
        {
            return $"error forwarding port {port} to pod {target.Pod}, uid {target.PodUid}: {e.Message}";
        }

        await using (pod)
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var up = UpAsync(client, pod, stop.Token);
            try
            {
                await pod.CopyToAsync(client, stop.Token);
                await closeClientOutput();
                await up.WaitAsync(AfterPodClosed, time, stop.Token);
                return null;
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or TimeoutException)
            {
                return cancellationToken.IsCancellationRequested || e is not IOException { InnerException: SocketException } ? null
                    : $"error forwarding port {port} to pod {target.Pod}, uid {target.PodUid}: {e.Message}";
            }
            finally
            {
                await stop.CancelAsync();
                await pod.DisposeAsync();
                await up;
            }
        }
    }

    private static async Task UpAsync(Stream client, Stream pod, CancellationToken cancellationToken)
    {
        try
        {
            await client.CopyToAsync(pod, cancellationToken);
            // The client will send no more; what the pod still answers comes through.
            if (pod is NetworkStream connection)
                connection.Socket.Shutdown(SocketShutdown.Send);
            else if (pod is TunnelDuplex tunnel)
                await tunnel.EndWritingAsync(cancellationToken);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Either side is gone; the other direction tells what there is to tell.
        }
    }
}
