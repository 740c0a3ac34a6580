namespace Weft.Cli.Supervision;

/// <summary>
/// How long to wait before the server is started again. The first restart is immediate, so that a crash costs less than a second;
/// one that keeps dying young is slowed down, so that it does not burn a core.
/// </summary>
public sealed class RestartBackoff
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    // Longer than the slowest start, so that a server that came up counts as well.
    private static readonly TimeSpan Healthy = TimeSpan.FromSeconds(10);

    private int _youngDeaths;

    public TimeSpan Next(TimeSpan lived)
    {
        if (lived >= Healthy)
            _youngDeaths = 0;
        var delay = _youngDeaths == 0 ? TimeSpan.Zero : First * Math.Pow(2, Math.Min(_youngDeaths - 1, 10));
        _youngDeaths++;
        return delay < Longest ? delay : Longest;
    }
}
