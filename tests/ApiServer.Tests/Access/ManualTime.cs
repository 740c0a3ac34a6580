namespace Weft.ApiServer.Tests.Access;

/// <summary>A clock that stands where the test puts it.</summary>
internal sealed class ManualTime(DateTimeOffset now) : TimeProvider
{
    internal DateTimeOffset Now { get; set; } = now;

    public override DateTimeOffset GetUtcNow() => Now;
}
