namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>An image that clusters of a topology need.</summary>
/// <param name="Name">Its name, with its digest where that is known.</param>
/// <param name="Purpose"><c>node</c> or <c>load balancer</c>.</param>
/// <param name="Id">Its id on this engine; null where the engine does not have it.</param>
/// <param name="Digest">Its digest as its registry knows it; null where it was built here or the engine does not have it.</param>
public sealed record KindImage(string Name, string Purpose, string? Id, string? Digest);
