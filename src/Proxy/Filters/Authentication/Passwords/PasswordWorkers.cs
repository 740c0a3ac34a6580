namespace Weft.Proxy.Filters.Authentication.Passwords;

/// <summary>Checks of slow hashes, off the loops. So many at once, so many that wait, no more: strangers choose how often they guess.</summary>
internal sealed class PasswordWorkers(int atOnce, int waiting) : IDisposable
{
    private readonly SemaphoreSlim _places = new(atOnce);
    private int _pending;

    /// <summary>Null: there are too many.</summary>
    public Task<bool>? Check(Func<bool> check)
    {
        if (Interlocked.Increment(ref _pending) <= atOnce + waiting)
            return RunAsync(check);
        Interlocked.Decrement(ref _pending);
        return null;
    }

    public void Dispose() => _places.Dispose();

    private async Task<bool> RunAsync(Func<bool> check)
    {
        try
        {
            await _places.WaitAsync();
            try
            {
                return await Task.Run(check);
            }
            finally
            {
                _places.Release();
            }
        }
        finally
        {
            Interlocked.Decrement(ref _pending);
        }
    }
}
