import { donePage, formPage } from './setup.pages.js';

describe('setup pages', () => {
  it('show input as text, never as markup', () => {
    const evil = `"><script>alert('x')</script>`;
    const { html } = formPage(400, { token: evil, username: evil, problem: evil });
    expect(html).not.toContain('<script');
    expect(html).toContain('&quot;&gt;&lt;script&gt;');
    expect(donePage(evil).html).not.toContain('<script');
  });

  it('label every field and bind the problem to it', () => {
    const { html } = formPage(400, { token: 't', problem: 'The password is too short.' });
    for (const id of ['username', 'password']) expect(html).toContain(`<label for="${id}">`);
    expect(html).toContain('role="alert"');
    expect(html).toContain('aria-describedby="problem password-hint"');
  });
});
