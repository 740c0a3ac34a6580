namespace Weft.Proxy.Http;

/// <summary>
/// Where a server codec gets what a request needs. The codec rents a head when a request begins, fills it, and gives it away with
/// <see cref="IServerStreamHandler.OnRequest"/>; a request that is refused while it is read never has a handler.
/// </summary>
internal interface IExchangeFactory
{
    /// <summary>Empty.</summary>
    RequestHead RentHead();

    void ReturnHead(RequestHead head);

    /// <summary>For one request. It goes back by itself when it has ended.</summary>
    IServerStreamHandler Begin();
}
