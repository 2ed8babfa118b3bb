using Cake.Core;

namespace Cake.Frosting;

/// <summary>The context that every task of a host is given.</summary>
public interface IFrostingContext : ICakeContext
{
}
