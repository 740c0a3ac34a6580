namespace Weft.Node.Images;

/// <summary>One at a time for each key; a key that nobody waits for takes no memory.</summary>
internal sealed class Turns
{
    private readonly Dictionary<string, Turn> _turns = [];

    private sealed class Turn
    {
        public SemaphoreSlim Semaphore { get; } = new(1);
        public int Users { get; set; }
    }

    public async Task<IDisposable> TakeAsync(string key, CancellationToken cancellationToken)
    {
        Turn turn;
        lock (_turns)
        {
            if (!_turns.TryGetValue(key, out turn!))
                _turns[key] = turn = new Turn();
            turn.Users++;
        }
        try
        {
            await turn.Semaphore.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            Leave(key, turn);
            throw;
        }
        return new Held(this, key, turn);
    }

    private void Leave(string key, Turn turn)
    {
        lock (_turns)
        {
            if (--turn.Users > 0)
                return;
            _turns.Remove(key);
        }
        turn.Semaphore.Dispose();
    }

    private sealed class Held(Turns owner, string key, Turn turn) : IDisposable
    {
        public void Dispose()
        {
            turn.Semaphore.Release();
            owner.Leave(key, turn);
        }
    }
}
