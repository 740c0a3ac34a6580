namespace Weft.Cli.Supervision;

/// <summary>
/// How long to wait before a child is started again. The first restart is immediate, so that a crash costs less than a second;
/// one that keeps dying young is slowed down, so that it does not burn a core.
/// </summary>
public sealed class RestartBackoff(TimeSpan healthy)
{
    /// <summary>Longer than an ordinary start of the slowest child, so that one that came up counts as well.</summary>
    public static readonly TimeSpan DefaultHealthy = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    private int _youngDeaths;

    public RestartBackoff() : this(DefaultHealthy)
    {
    }

    public TimeSpan Next(TimeSpan lived)
    {
        if (lived >= healthy)
            _youngDeaths = 0;
        var delay = _youngDeaths == 0 ? TimeSpan.Zero : First * Math.Pow(2, Math.Min(_youngDeaths - 1, 10));
        _youngDeaths++;
        return delay < Longest ? delay : Longest;
    }
}
