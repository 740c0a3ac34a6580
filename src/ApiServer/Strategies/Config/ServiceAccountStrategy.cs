namespace Weft.ApiServer.Strategies.Config;

internal sealed class ServiceAccountStrategy : DefaultStrategy
{
    public override bool HasStatus => false;
}
