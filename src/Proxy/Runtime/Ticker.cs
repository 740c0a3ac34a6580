namespace Weft.Proxy.Runtime;

/// <summary>
/// A thread of its own for what is done again and again beside the loops. Not a timer of the thread pool: its workers go on looking for work with sched_yield
/// after each tick, and on the core of a loop that cost half of the requests (measured: bench/Load/proxy, docs/performance.md).
/// </summary>
internal sealed class Ticker : IDisposable
{
    private readonly ManualResetEvent _stop = new(false);
    private readonly Thread _thread;

    /// <param name="failed">Hears of an exception that nobody expected; the next tick comes all the same.</param>
    public Ticker(string name, TimeSpan interval, Action tick, Action<Exception> failed)
    {
        _thread = new Thread(() =>
        {
            while (!_stop.WaitOne(interval))
            {
                try
                {
                    tick();
                }
                catch (Exception defect)
                {
                    failed(defect);
                }
            }
        })
        { Name = name, IsBackground = true };
        _thread.Start();
    }

    /// <summary>Returns when the last tick has ended.</summary>
    public void Dispose()
    {
        _stop.Set();
        _thread.Join();
        _stop.Dispose();
    }
}
