using Microsoft.Extensions.DependencyInjection;

namespace Cake.Frosting;

/// <summary>Configures a host's services from a type of its own.</summary>
public interface IFrostingStartup
{
    /// <summary>Adds services.</summary>
    /// <param name="services">The host's services.</param>
    void Configure(IServiceCollection services);
}
