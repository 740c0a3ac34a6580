using Weft.Api;
using Weft.Api.Core;
using Weft.Node.Tests.Pods;
using Weft.Node.Volumes;

namespace Weft.Node.Tests.Volumes;

public sealed class SolePodsTests
{
    private static readonly ObjectKey Claim = new("default", "data");

    private static Pod Pod(string uid, string phase = "Pending", bool hasRun = false, string claim = "data") => World.Pod(
        $$$"""{"containers":[{"name":"a"}],"volumes":[{"name":"d","persistentVolumeClaim":{"claimName":"{{{claim}}}"}}]}""", $$"""{"uid":"{{uid}}","name":"pod-{{uid}}"}""",
        new() { Phase = phase, ContainerStatuses = hasRun ? [new ContainerStatus { Name = "a", ContainerID = "process://x", Image = "", ImageID = "" }] : [] });

    private static string? Take(SolePods sole, Pod pod, params Pod[] here)
    {
        try
        {
            sole.Take(Claim, pod, [.. here, pod]);
            return null;
        }
        catch (VolumeException e)
        {
            return e.Message;
        }
    }

    [Fact]
    public void The_first_pod_has_it_until_it_ends()
    {
        var sole = new SolePods();
        var (first, second) = (Pod("1"), Pod("2"));

        Assert.Null(Take(sole, first, second));
        Assert.Null(Take(sole, first, second));   // the holder may ask again
        Assert.Equal("volume uses the ReadWriteOncePod access mode and is already in use by another pod (pod-1)", Take(sole, second, first));
        sole.Release("1");
        Assert.Null(Take(sole, second, first));
    }

    [Fact]
    public void A_pod_that_ran_before_the_agent_started_has_it() => Assert.NotNull(Take(new SolePods(), Pod("2"), Pod("1", "Running", hasRun: true)));

    [Theory]
    [InlineData("Succeeded", "data")]
    [InlineData("Running", "other")]
    public void Who_has_ended_or_uses_another_claim_is_not_in_the_way(string phase, string claim) => Assert.Null(Take(new SolePods(), Pod("2"), Pod("1", phase, hasRun: true, claim)));
}
