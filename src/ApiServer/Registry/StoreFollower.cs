using Weft.Storage;

namespace Weft.ApiServer.Registry;

/// <summary>What every loop that follows the store does when its watch cannot go on: it lists again and starts anew, until it is told to end.</summary>
internal static class StoreFollower
{
    // Somebody has to make room: more often would only fill the log.
    private static readonly TimeSpan FullPause = TimeSpan.FromSeconds(5);

    /// <param name="followAsync">Lists, then watches; ends only by an exception or the token.</param>
    /// <param name="relisting">Told why a new list is needed: the reader fell behind, or history was compacted.</param>
    internal static async Task RunAsync(Func<CancellationToken, Task> followAsync, Action<string> relisting, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await followAsync(cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is WatchExpiredException or CompactedException)
            {
                relisting(e.Message);
            }
        }
    }

    /// <summary>The same for one that writes: a disk that is full keeps it from its work for a while, and does not end it.</summary>
    internal static Task RunAsync(Func<CancellationToken, Task> followAsync, Action<string> relisting, TimeProvider time, CancellationToken cancellationToken) =>
        RunAsync(token => WithRoomAsync(followAsync, relisting, time, token), relisting, cancellationToken);

    /// <summary>Work that writes, again and again until the store has room for it.</summary>
    internal static async Task WithRoomAsync(Func<CancellationToken, Task> workAsync, Action<string> waiting, TimeProvider time, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await workAsync(cancellationToken);
                return;
            }
            catch (StoreReadOnlyException full)
            {
                waiting(full.Message);
                await Task.Delay(FullPause, time, cancellationToken);
            }
        }
    }
}
