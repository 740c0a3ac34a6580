using Weft.Client;

namespace Weft.Control.Workloads;

internal static class Batches
{
    /// <summary>
    /// Runs an action many times: once, then twice at a time, then four times ..., and stops at the first batch with a failure. A pod that
    /// a quota refuses costs one request and not five hundred.
    /// </summary>
    public static async Task<(int Succeeded, ApiStatusException? Failed)> SlowStartAsync(int count, Func<Task> action)
    {
        var succeeded = 0;
        for (var batch = 1; succeeded < count; batch *= 2)
        {
            var results = await Task.WhenAll(Enumerable.Range(0, Math.Min(batch, count - succeeded)).Select(_ => TryAsync()));
            succeeded += results.Count(result => result is null);
            if (results.FirstOrDefault(result => result is not null) is { } failed)
                return (succeeded, failed);
        }

        return (succeeded, null);

        async Task<ApiStatusException?> TryAsync()
        {
            try
            {
                await action();
                return null;
            }
            catch (ApiStatusException refused)
            {
                return refused;
            }
        }
    }
}
