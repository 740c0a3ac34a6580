using Weft.Proxy.Mesh.Identity;
using Weft.Proxy.Tests.Support;
using Weft.Testing;

namespace Weft.Proxy.Tests.Mesh.Identity;

public sealed class CertificateClientTests
{
    /// <summary>An exception that nobody has thought of ended it, and a day later all certificates of the node.</summary>
    [Fact]
    public async Task Whatever_goes_wrong_is_told_and_tried_again()
    {
        var time = new ManualTime();
        using var bed = new IdentityBed(time);
        using var log = new LogLines();
        using var stop = new CancellationTokenSource();
        var tries = 0;
        var running = new CertificateClient(bed.Identities, _ =>
        {
            Interlocked.Increment(ref tries);
            throw new KeyNotFoundException("odd");
        }, time, Seeded.Random(1), log).RunAsync(stop.Token);
        await Eventually.TrueAsync(() =>
        {
            time.Advance(TimeSpan.FromMilliseconds(100));
            return running.IsCompleted || Volatile.Read(ref tries) > 2;
        });
        Assert.False(running.IsCompleted);
        Assert.Contains(log.Text, line => line.Contains("defect", StringComparison.Ordinal));
        await stop.CancelAsync();
        await Eventually.EndsAsync(running);
    }
}
