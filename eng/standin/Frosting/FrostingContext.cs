using Cake.Core;

namespace Cake.Frosting;

/// <summary>The default context, and the base of a build's own.</summary>
/// <param name="context">Cake's context, which does the work.</param>
public class FrostingContext(ICakeContext context) : CakeContextAdapter(context), IFrostingContext
{
}

/// <summary>The context that every task of a host is given.</summary>
public interface IFrostingContext : ICakeContext
{
}
