using Cake.Core.Composition;
using Cake.Core.IO;
using Cake.Core.Packaging;
using Microsoft.Extensions.DependencyInjection;

namespace Cake.Frosting;

/// <summary>Configures a host; each method calls that of <see cref="ServiceCollectionExtensions"/>.</summary>
public static class CakeHostExtensions
{
    /// <summary>Sets the context that is passed to tasks.</summary>
    /// <typeparam name="TContext">The context.</typeparam>
    /// <param name="host">The host.</param>
    /// <returns>The same.</returns>
    public static CakeHost UseContext<TContext>(this CakeHost host)
        where TContext : class, IFrostingContext
    {
        ArgumentNullException.ThrowIfNull(host);
        host.ConfigureServices(services => services.UseContext<TContext>());
        return host;
    }

    /// <summary>Adds a type that sets up and tears down the run.</summary>
    /// <typeparam name="TLifetime">The type.</typeparam>
    /// <param name="host">The host.</param>
    /// <returns>The same.</returns>
    public static CakeHost UseLifetime<TLifetime>(this CakeHost host)
        where TLifetime : class, IFrostingLifetime
    {
        ArgumentNullException.ThrowIfNull(host);
        host.ConfigureServices(services => services.UseLifetime<TLifetime>());
        return host;
    }

    /// <summary>Adds a type that sets up the run.</summary>
    /// <typeparam name="TSetup">The type.</typeparam>
    /// <param name="host">The host.</param>
    /// <returns>The same.</returns>
    public static CakeHost UseSetup<TSetup>(this CakeHost host)
        where TSetup : class, IFrostingSetup
    {
        ArgumentNullException.ThrowIfNull(host);
        host.ConfigureServices(services => services.UseSetup<TSetup>());
        return host;
    }

    /// <summary>Adds a type that tears down the run.</summary>
    /// <typeparam name="TTeardown">The type.</typeparam>
    /// <param name="host">The host.</param>
    /// <returns>The same.</returns>
    public static CakeHost UseTeardown<TTeardown>(this CakeHost host)
        where TTeardown : class, IFrostingTeardown
    {
        ArgumentNullException.ThrowIfNull(host);
        host.ConfigureServices(services => services.UseTeardown<TTeardown>());
        return host;
    }

    /// <summary>Adds a type that sets up and tears down each task.</summary>
    /// <typeparam name="TLifetime">The type.</typeparam>
    /// <param name="host">The host.</param>
    /// <returns>The same.</returns>
    public static CakeHost UseTaskLifetime<TLifetime>(this CakeHost host)
        where TLifetime : class, IFrostingTaskLifetime
    {
        ArgumentNullException.ThrowIfNull(host);
        host.ConfigureServices(services => services.UseTaskLifetime<TLifetime>());
        return host;
    }

    /// <summary>Adds a type that sets up each task.</summary>
    /// <typeparam name="TSetup">The type.</typeparam>
    /// <param name="host">The host.</param>
    /// <returns>The same.</returns>
    public static CakeHost UseTaskSetup<TSetup>(this CakeHost host)
        where TSetup : class, IFrostingTaskSetup
    {
        ArgumentNullException.ThrowIfNull(host);
        host.ConfigureServices(services => services.UseTaskSetup<TSetup>());
        return host;
    }

    /// <summary>Adds a type that tears down each task.</summary>
    /// <typeparam name="TTeardown">The type.</typeparam>
    /// <param name="host">The host.</param>
    /// <returns>The same.</returns>
    public static CakeHost UseTaskTeardown<TTeardown>(this CakeHost host)
        where TTeardown : class, IFrostingTaskTeardown
    {
        ArgumentNullException.ThrowIfNull(host);
        host.ConfigureServices(services => services.UseTaskTeardown<TTeardown>());
        return host;
    }

    /// <summary>Adds the registrations of a Cake module.</summary>
    /// <typeparam name="TModule">The module.</typeparam>
    /// <param name="host">The host.</param>
    /// <returns>The same.</returns>
    public static CakeHost UseModule<TModule>(this CakeHost host)
        where TModule : ICakeModule, new()
    {
        ArgumentNullException.ThrowIfNull(host);
        host.ConfigureServices(services => services.UseModule<TModule>());
        return host;
    }

    /// <summary>Adds a package installer for tools.</summary>
    /// <typeparam name="TPackageInstaller">The installer.</typeparam>
    /// <param name="host">The host.</param>
    /// <returns>The same.</returns>
    public static CakeHost UsePackageInstaller<TPackageInstaller>(this CakeHost host)
        where TPackageInstaller : class, IPackageInstaller
    {
        ArgumentNullException.ThrowIfNull(host);
        host.ConfigureServices(services => services.UsePackageInstaller<TPackageInstaller>());
        return host;
    }

    /// <summary>Sets a value of Cake's configuration.</summary>
    /// <param name="host">The host.</param>
    /// <param name="key">The key.</param>
    /// <param name="value">The value.</param>
    /// <returns>The same.</returns>
    public static CakeHost UseCakeSetting(this CakeHost host, string key, string value)
    {
        ArgumentNullException.ThrowIfNull(host);
        host.ConfigureServices(services => services.UseCakeSetting(key, value));
        return host;
    }

    /// <summary>Installs a tool before the first task.</summary>
    /// <param name="host">The host.</param>
    /// <param name="uri">The tool, such as <c>dotnet:?package=GitVersion.Tool&amp;version=6.0.0</c>.</param>
    /// <returns>The same.</returns>
    public static CakeHost InstallTool(this CakeHost host, Uri uri)
    {
        ArgumentNullException.ThrowIfNull(host);
        host.ConfigureServices(services => services.UseTool(uri));
        return host;
    }

    /// <summary>Sets where tools are installed.</summary>
    /// <param name="host">The host.</param>
    /// <param name="path">The directory.</param>
    /// <returns>The same.</returns>
    public static CakeHost SetToolPath(this CakeHost host, DirectoryPath path)
    {
        ArgumentNullException.ThrowIfNull(host);
        host.ConfigureServices(services => services.UseToolPath(path));
        return host;
    }

    /// <summary>Sets the working directory.</summary>
    /// <param name="host">The host.</param>
    /// <param name="path">The directory.</param>
    /// <returns>The same.</returns>
    public static CakeHost UseWorkingDirectory(this CakeHost host, DirectoryPath path)
    {
        ArgumentNullException.ThrowIfNull(host);
        host.ConfigureServices(services => services.UseWorkingDirectory(path));
        return host;
    }

    /// <summary>Lets a type of its own configure the services.</summary>
    /// <typeparam name="TStartup">The type.</typeparam>
    /// <param name="host">The host.</param>
    /// <returns>The same.</returns>
    public static CakeHost UseStartup<TStartup>(this CakeHost host)
        where TStartup : IFrostingStartup, new()
    {
        ArgumentNullException.ThrowIfNull(host);
        host.ConfigureServices(new TStartup().Configure);
        return host;
    }
}

/// <summary>Configures a host's services from a type of its own.</summary>
public interface IFrostingStartup
{
    /// <summary>Adds services.</summary>
    /// <param name="services">The host's services.</param>
    void Configure(IServiceCollection services);
}
