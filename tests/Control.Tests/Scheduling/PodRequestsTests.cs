using Weft.Api.Core;
using Weft.Control.Scheduling.Model;

namespace Weft.Control.Tests.Scheduling;

public sealed class PodRequestsTests
{
    [Fact]
    public void Containers_add_up()
    {
        var spec = new PodSpec { Containers = [Sample.Container("500m", "1Gi"), Sample.Container("250m", "512Mi")] };

        var requests = PodRequests.Of(spec);

        Assert.Equal(750, requests["cpu"]);
        Assert.Equal((1024L + 512) << 20, requests["memory"]);
    }

    [Fact]
    public void The_largest_init_container_counts_when_it_exceeds_the_sum()
    {
        var spec = new PodSpec
        {
            InitContainers = [Sample.Container("2", "256Mi"), Sample.Container("1", "4Gi")],
            Containers = [Sample.Container("500m", "1Gi")],
        };

        var requests = PodRequests.Of(spec);

        Assert.Equal(2000, requests["cpu"]);
        Assert.Equal(4L << 30, requests["memory"]);
    }

    [Fact]
    public void Sidecars_run_beside_containers_and_beside_init_containers_after_them()
    {
        var sidecar = Sample.Container("1") with { RestartPolicy = "Always" };
        // Before the sidecar 5, after it 1 + 4.5; running 1 + 2.
        var spec = new PodSpec { InitContainers = [Sample.Container("5"), sidecar, Sample.Container("4500m")], Containers = [Sample.Container("2")] };

        Assert.Equal(5500, PodRequests.Of(spec)["cpu"]);
        Assert.Equal(6000, PodRequests.Of(spec with { Containers = [Sample.Container("5")] })["cpu"]);
    }

    [Fact]
    public void Overhead_comes_on_top()
    {
        var spec = new PodSpec { Containers = [Sample.Container("1", "1Gi")], Overhead = Sample.Amounts(("cpu", "250m"), ("memory", "120Mi")) };

        var requests = PodRequests.Of(spec);

        Assert.Equal(1250, requests["cpu"]);
        Assert.Equal((1024L + 120) << 20, requests["memory"]);
    }

    [Fact]
    public void Requests_of_the_pod_replace_those_of_its_containers()
    {
        var spec = new PodSpec
        {
            Containers = [Sample.Container("1", "1Gi")],
            Resources = new ResourceRequirements { Requests = Sample.Amounts(("cpu", "3")) },
        };

        Assert.Equal(3000, PodRequests.Of(spec)["cpu"]);
        Assert.Equal(1L << 30, PodRequests.Of(spec)["memory"]);
    }

    [Fact]
    public void Absurd_requests_do_not_wrap_round()
    {
        var spec = new PodSpec { Containers = [Sample.Container(memory: "8Ei"), Sample.Container(memory: "8Ei")] };

        Assert.Equal(long.MaxValue, PodRequests.Of(spec)["memory"]);
        Assert.Equal(
            "0/1 nodes are available: 1 Insufficient memory.",
            new SampleCluster(Sample.Node("a")).Where(Sample.Pod("p").Spec(_ => spec)));
    }
}
