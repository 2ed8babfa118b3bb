using System.Net;

namespace MeshTrust.Kind;

/// <summary>A range that an engine cuts into the ranges of its networks.</summary>
/// <param name="Range">All of it.</param>
/// <param name="Prefix">The prefix of each network's part.</param>
public sealed record EngineAddressPool(IPNetwork Range, int Prefix);
