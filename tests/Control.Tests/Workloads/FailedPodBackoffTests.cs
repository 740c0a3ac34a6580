using Weft.Control.Workloads;

namespace Weft.Control.Tests.Workloads;

public sealed class FailedPodBackoffTests
{
    private static readonly DaemonPlace Place = new("u", 1, "n1");

    [Fact]
    public void Each_failure_doubles_the_wait_up_to_a_quarter_of_an_hour()
    {
        var backoff = new FailedPodBackoff();
        var now = Make.Now;
        var waits = new List<double>();
        for (var i = 0; i < 12; i++)
        {
            backoff.Replaced(Place, now);
            var until = backoff.NotBefore("u", 1)["n1"];
            waits.Add((until - now).TotalSeconds);
            now = until;
        }

        Assert.Equal([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900], waits);
    }

    [Fact]
    public void Another_generation_and_a_long_rest_begin_anew()
    {
        var backoff = new FailedPodBackoff();
        backoff.Replaced(Place, Make.Now);
        backoff.Replaced(Place, Make.Now.AddSeconds(1));

        Assert.Empty(backoff.NotBefore("u", 2));
        Assert.Empty(backoff.NotBefore("v", 1));
        var later = Make.Now.AddMinutes(31);
        backoff.Replaced(Place, later);
        Assert.Equal(later.AddSeconds(1), backoff.NotBefore("u", 1)["n1"]);
    }
}
