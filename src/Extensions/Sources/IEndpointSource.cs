namespace Weft.Extensions.Sources;

/// <summary>Where a service is to be had.</summary>
/// <param name="Address">IP address or host name.</param>
/// <param name="Port">0: the port that the request names.</param>
public readonly record struct ServiceEndpoint(string Address, int Port, int Weight = 1);

/// <summary>Who knows where services are.</summary>
public interface IEndpointSource
{
    /// <summary>For messages: `registry http://127.0.0.1:8500`.</summary>
    string Name { get; }

    /// <summary>
    /// Follows one name until cancelled. Tells the endpoints that take traffic at the first answer, an empty list too, and at each change. Failures to ask are its own to
    /// overcome: what was told last stays.
    /// </summary>
    Task FollowAsync(string service, Action<IReadOnlyList<ServiceEndpoint>> tell, CancellationToken cancellationToken);
}

/// <summary>Pauses after failures: longer with each, up to half a minute, a little by chance so that not all clients come back together.</summary>
internal static class Pause
{
    public static async Task AfterAsync(int failures, TimeProvider time, Random random, CancellationToken cancellationToken)
    {
        double spread;
        lock (random)
            spread = random.NextDouble();
        var seconds = Math.Min(30, 0.25 * Math.Pow(2, Math.Min(failures, 10))) * (0.75 + spread / 2);
        await Task.Delay(TimeSpan.FromSeconds(seconds), time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
