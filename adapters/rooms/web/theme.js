// Sets the theme that the user chose, otherwise that of the system. Runs before the first paint, so that
// the page never flashes in the wrong colours.
(() => {
  const KEY = 'palabre.theme';
  const system = matchMedia('(prefers-color-scheme: dark)');
  let chosen = null;
  try { chosen = localStorage.getItem(KEY); } catch { /* storage is blocked */ }

  function apply() {
    const theme = chosen || (system.matches ? 'dark' : 'light');
    document.documentElement.dataset.theme = theme;
    document.querySelector('meta[name="theme-color"]').content = theme === 'dark' ? '#1C2833' : '#2C3E50';
    document.getElementById('theme')?.setAttribute('aria-pressed', String(theme === 'dark'));
  }

  function toggle() {
    chosen = document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark';
    try { localStorage.setItem(KEY, chosen); } catch { /* not stored */ }
    apply();
  }

  system.addEventListener('change', apply);
  addEventListener('DOMContentLoaded', () => {
    apply();
    document.getElementById('theme').addEventListener('click', toggle);
  });
  apply();
})();
